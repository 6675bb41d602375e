import Corpora
import Foundation
import Testing

/// Every byte that lies below a named path is read, or it is said why not.
@Suite struct CorpusFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ corpus: Corpus) throws -> String {
        let tokens = try [Int32](unsafeUninitializedCapacity: corpus.count) { buffer, count in
            try corpus.copyTokens(from: 0, into: .init(rebasing: buffer[..<corpus.count]))
            count = corpus.count
        }
        return String(decoding: tokens.map { UInt8($0) }, as: UTF8.self)
    }

    private func load(_ path: CorpusPaths, _ exclusions: CorpusExclusions = .none) throws -> Corpus {
        try Corpus.load(path: path, heldOut: 0, packed: false, separator: "", leavingOut: exclusions)
    }

    private func refusal(_ path: CorpusPaths, _ exclusions: CorpusExclusions = .none) -> String {
        let error = #expect(throws: CorpusError.self) { try load(path, exclusions) }
        return error?.description ?? ""
    }

    /// A file whose name is these bytes.
    private func write(_ name: [UInt8], _ text: String) throws {
        let path = Array(folder.path.utf8) + [47] + name + [0]
        let descriptor = path.withUnsafeBytes {
            open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_WRONLY | O_CREAT, 0o644)
        }
        try #require(descriptor >= 0, "\(errno)")
        _ = text.utf8.withContiguousStorageIfAvailable { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    @Test func `names are bytes, in the order of bytes`() throws {
        // Not UTF-8, a line break, blanks at both ends, a comma, letters whose order a locale would change.
        let names: [[UInt8]] = [
            Array(" b ".utf8), Array("B".utf8), Array("a\nb".utf8), Array("a,b".utf8), Array("é".utf8), [98, 0xFF, 46],
            [0xFE],
        ]
        for (i, name) in names.enumerated() { try write(name, "\(i)") }
        let order = names.indices.sorted { names[$0].lexicographicallyPrecedes(names[$1]) }
        #expect(try text(load(.text(folder.path))) == order.map(String.init).joined())
        #expect(order == [0, 1, 2, 3, 5, 4, 6])
    }

    @Test func `links to files and folders are followed`() throws {
        _ = try folder.write("text/b", "B".utf8)
        _ = try folder.write("elsewhere/x/deep", "X".utf8)
        _ = try folder.write("elsewhere/file", "F".utf8)
        try FileManager.default.createSymbolicLink(atPath: folder.file("text/a"), withDestinationPath: "../elsewhere/x")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("text/c"), withDestinationPath: "../elsewhere/file")
        let corpus = try load(.text(folder.file("text")))
        #expect(try text(corpus) == "XBF")
        #expect(corpus.leftOut == nil && corpus.repetition == nil)
    }

    @Test func `a link in a circle is left out, and that is said`() throws {
        _ = try folder.write("text/sub/b", "B".utf8)
        try FileManager.default.createSymbolicLink(atPath: folder.file("text/sub/up"), withDestinationPath: "..")
        try FileManager.default.createSymbolicLink(atPath: folder.file("text/self"), withDestinationPath: ".")
        // Above what is named, too.
        try FileManager.default.createSymbolicLink(atPath: folder.file("text/up"), withDestinationPath: "..")
        try FileManager.default.createSymbolicLink(atPath: folder.file("text/root"), withDestinationPath: "/")
        let corpus = try load(.text(folder.file("text")))
        #expect(try text(corpus) == "B")
        #expect(corpus.leftOut == "4 links back to a folder above (\(folder.file("text/root")), ...)")
    }

    @Test func `a file that is there twice is read twice, and that is said`() throws {
        let file = try folder.write("text/a", "A".utf8)
        try FileManager.default.createSymbolicLink(atPath: folder.file("text/b"), withDestinationPath: "a")
        try FileManager.default.linkItem(atPath: file, toPath: folder.file("text/c"))
        let corpus = try load(.text(folder.file("text")))
        #expect(try text(corpus) == "AAA")
        #expect(corpus.repetition?.contains("2 files come again") == true, "\(corpus.repetition ?? "")")
        #expect(try load(.list([file, file])).repetition?.contains("is named twice") == true)
    }

    @Test(.timeLimit(.minutes(1))) func `links that multiply come to an end`() throws {
        _ = try folder.write("d0/x", "X".utf8)
        for i in 0..<24 {
            _ = try folder.write("d\(i)/y", "".utf8)
            for name in ["a", "b"] {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.file("d\(i)/\(name)"), withDestinationPath: folder.file("d\(i + 1)"))
            }
        }
        _ = try folder.write("d24/x", "X".utf8)
        #expect(refusal(.text(folder.file("d0"))).contains("over and over"))
    }

    @Test func `links that lead nowhere are named`() throws {
        _ = try folder.write("text/a", "A".utf8)
        let link = folder.file("text/b")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../gone.txt")
        #expect(refusal(.text(folder.file("text"))).contains("\(link): it is a link that leads to ../gone.txt"))
        #expect(refusal(.text(link)).contains("where nothing is"))
        try FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "b")
        #expect(
            refusal(.text(folder.file("text"))).contains("\(link): it is a link that leads to b, and so on in a circle")
        )
    }

    @Test(.timeLimit(.minutes(1))) func `pipes, sockets, hidden and empty files are left out, and that is said`() throws
    {
        _ = try folder.write("text/a", "A".utf8)
        _ = try folder.write("text/empty", "".utf8)
        _ = try folder.write("text/.git/config", "G".utf8)
        _ = try folder.write("text/.hidden", "H".utf8)
        #expect(mkfifo(folder.file("text/pipe"), 0o644) == 0)
        let corpus = try load(.text(folder.file("text")))
        #expect(try text(corpus) == "A")
        let t = folder.file("text")
        #expect(
            corpus.leftOut
                == """
                2 hidden files or folders (\(t)/.git, ...), 1 pipe, socket or device (\(t)/pipe), 1 empty file \
                (\(t)/empty)
                """
        )
        #expect(refusal(.text("\(t)/pipe")).contains("neither a file nor a folder"))
    }

    @Test func `a folder or file without permission is named`() throws {
        // Root may read anything.
        guard geteuid() != 0 else { return }
        _ = try folder.write("text/sub/a", "A".utf8)
        _ = try folder.write("text/b", "B".utf8)
        #expect(chmod(folder.file("text/sub"), 0) == 0)
        #expect(refusal(.text(folder.file("text"))).contains("text/sub: Permission denied"))
        #expect(chmod(folder.file("text/sub"), 0o755) == 0 && chmod(folder.file("text/b"), 0) == 0)
        #expect(refusal(.text(folder.file("text"))).contains("text/b: Permission denied"))
    }

    @Test func `a file that doesn't tell its size is named`() {
        #expect(refusal("/proc/self/status").contains("/proc/self/status: its file system says that it has no bytes"))
        // Nor one that can't be read.
        #expect(refusal("/proc/self/mem").contains("/proc/self/mem: Input/output error"))
    }

    @Test func `folders of runs are left out, those of this run wherever they are`() throws {
        _ = try folder.write("a.txt", "A".utf8)
        _ = try folder.write("mine/config.toml", "C".utf8)
        _ = try folder.write("runs/old/run.lock", "".utf8)
        let exclusions = CorpusExclusions(folders: [.init(key: "run.directory", path: folder.file("mine"))]) {
            $1.contains("run.lock")
        }
        let corpus = try load(.text(folder.path), exclusions)
        #expect(try text(corpus) == "A")
        #expect(corpus.leftOut == "2 folders of gecko runs (\(folder.file("mine")), ...)")
        #expect(
            refusal(.text(folder.file("mine")), exclusions).contains("which is run.directory, where the run writes"))
        try FileManager.default.removeItem(atPath: folder.file("a.txt"))
        #expect(refusal(.text(folder.path), exclusions).contains("has no files, only 2 folders of gecko runs"))
    }

    @Test func `each entry of a list stands for itself`() throws {
        let comma = try folder.write("b,c", "1".utf8)
        let blank = try folder.write("d ", "2".utf8)
        #expect(try text(load(.list([comma, blank]))) == "12")
        #expect(refusal(.list([comma, ""])).contains("empty entry, number 2 of 2"))
        #expect(refusal(.list([])).contains("data.path is empty"))
    }

    @Test func `what is no text is told by its beginning`() throws {
        let text = try folder.write("a", "Grüße, 世界\n".utf8)
        #expect(try load(.text(text)).doubt == nil)
        // A character cut by the end of what is looked at.
        let long = try folder.write("long", Array(repeating: Array("世".utf8), count: 9000).joined())
        #expect(try load(.text(long)).doubt == nil)
        let zero = try folder.write("zero", [65, 0, 65])
        #expect(try load(.text(zero)).doubt == "\(zero) has zero bytes; its bytes are trained on like any others")
        let packed = try folder.write(
            "packed", [0x1F, 0x8B, 8, 1] + (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 77 | 129) })
        let doubt = try #require(try load(.list([text, packed, zero])).doubt)
        #expect(doubt.contains("2 of 3 files don't look like text, the first: \(packed) begins with bytes of which"))
        // A few characters of another encoding are still text.
        let latin = try folder.write(
            "latin",
            Array("Gr\u{FC}\u{DF}e an alle, die das lesen und sich wundern".unicodeScalars.map { UInt8($0.value) }))
        #expect(try load(.text(latin)).doubt == nil)
    }
}
