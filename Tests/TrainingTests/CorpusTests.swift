import Corpora
import Foundation
import Testing

@Suite struct CorpusTests {
    private func tokens(_ corpus: Corpus, _ range: Range<Int>? = nil) throws -> [Int32] {
        let range = range ?? 0..<corpus.count
        return try [Int32](unsafeUninitializedCapacity: range.count) { buffer, count in
            try corpus.copyTokens(from: range.lowerBound, into: .init(rebasing: buffer[..<range.count]))
            count = range.count
        }
    }

    private func load(
        _ path: String, heldOut: Double = 0, packed: Bool = false, separator: String = ""
    ) throws -> Corpus {
        try Corpus.load(path: .text(path), heldOut: heldOut, packed: packed, separator: separator)
    }

    @Test func `bytes are tokens, valid UTF-8 or not`() throws {
        let folder = try TemporaryFolder()
        let bytes: [UInt8] = [0, 255, 0xC3, 0x28, 65, 10]
        let corpus = try load(try folder.write("a", bytes))
        #expect(try tokens(corpus) == bytes.map(Int32.init))
        #expect(corpus.vocabulary == 256)
        #expect(corpus.documents == 1)
    }

    @Test func `the last share is held out`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a", [UInt8](repeating: 65, count: 101))
        let corpus = try load(path, heldOut: 0.05)
        #expect(corpus.train == 0..<96 && corpus.heldOut == 96..<101)
        #expect(try load(path).heldOut.isEmpty)
    }

    @Test func `packed documents begin with bos, at file ends and separators`() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("d/1", "ab--c----d--".utf8)
        _ = try folder.write("d/2", "".utf8)
        _ = try folder.write("d/3", "-e-".utf8)
        let corpus = try load(folder.file("d"), packed: true, separator: "--")
        let b = ByteVocabulary.bos
        let expected: [Int32] = [b, 97, 98, b, 99, b, 100, b, 45, 101, 45]
        #expect(try tokens(corpus) == expected)
        #expect(corpus.documents == 4 && corpus.vocabulary == 257)
        let whole = try load(folder.file("d"), packed: true)
        let first = "ab--c----d--".utf8.map { Int32($0) }
        let last = "-e-".utf8.map { Int32($0) }
        #expect(try tokens(whole) == [b] + first + [b] + last)
    }

    @Test(arguments: [false, true])
    func `any stretch equals the same stretch of the whole`(packed: Bool) throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("d/1", "one|two|three".utf8)
        _ = try folder.write("d/2", "four|".utf8)
        let corpus = try load(folder.file("d"), packed: packed, separator: "|")
        let all = try tokens(corpus)
        #expect(all.count == corpus.count)
        for start in 0...corpus.count {
            for end in start...corpus.count { #expect(try tokens(corpus, start..<end) == Array(all[start..<end])) }
        }
    }

    @Test func `a folder is read by name at any depth, hidden files left out; a list in its order`() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("b", "B".utf8)
        _ = try folder.write("a/z", "Z".utf8)
        _ = try folder.write("a/y", "Y".utf8)
        _ = try folder.write(".hidden", "H".utf8)
        _ = try folder.write("comma,name", "C".utf8)
        #expect(try tokens(try load(folder.path)).map { UInt8($0) } == Array("YZBC".utf8))
        let list = "\(folder.file("b")), \(folder.file("a")),\(folder.file(".hidden"))"
        #expect(try tokens(try load(list)).map { UInt8($0) } == Array("BYZH".utf8))
        #expect(try tokens(try load(folder.file("comma,name"))) == [67])
    }

    @Test func `a large file reads the same`() throws {
        let folder = try TemporaryFolder()
        let count = (16 << 20) + 5
        let path = try folder.write("big", (0..<count).lazy.map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) })
        let corpus = try load(path)
        #expect(corpus.count == count)
        let last = count - 100..<count
        #expect(try tokens(corpus, last) == last.map { Int32(UInt8(truncatingIfNeeded: $0 &* 7 >> 3)) })
    }

    @Test func `what cannot be a corpus is refused with the reason`() throws {
        let folder = try TemporaryFolder()
        let empty = try folder.write("empty", "".utf8)
        try FileManager.default.createDirectory(atPath: folder.file("void"), withIntermediateDirectories: false)
        let cases = [
            (folder.file("missing"), "missing: No such file or directory"),
            (empty, "is empty"),
            (folder.file("void"), "has no files"),
            ("/dev/null", "neither a file nor a folder"),
            ("\(empty),,\(empty)", "empty entry"),
            ("\(empty),\(empty)", "has 2 files, all empty"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: CorpusError.self) { try load(path) }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }
}
