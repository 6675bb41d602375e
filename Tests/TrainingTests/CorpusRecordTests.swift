import Corpora
import Foundation
import Testing

/// A text is known again by all of its bytes, and what differs is named.
@Suite struct CorpusRecordTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func record(_ name: String = "t") throws -> CorpusRecord {
        let corpus = try Corpus.load(path: .text(folder.file(name)), heldOut: 0, packed: false, separator: "")
        return try #require(try CorpusRecord(reading: corpus))
    }

    private func begin() throws -> CorpusRecord {
        _ = try folder.write("t/a", "aaaa".utf8)
        _ = try folder.write("t/b", [UInt8](repeating: 98, count: 3_000_000))
        _ = try folder.write("t/s/c", "cc".utf8)
        return try record()
    }

    @Test func `a single byte makes another text, another name doesn't`() throws {
        let old = try begin()
        #expect(old.name.hasPrefix("3000006 tokens, sha256 "))
        try FileManager.default.moveItem(atPath: folder.file("t"), toPath: folder.file("u"))
        let moved = try record("u")
        #expect(moved.name == old.name)
        var bytes = [UInt8](repeating: 98, count: 3_000_000)
        bytes[1_234_567] = 99
        _ = try folder.write("u/b", bytes)
        let new = try record("u")
        #expect(new.name != old.name)
        #expect(new.differences(from: old) == "\(folder.file("u/b")) has as many bytes as before, but not the same")
    }

    @Test func `what was changed, added, removed and renamed is named`() throws {
        let old = try begin()
        _ = try folder.write("t/a", "aaaaa".utf8)
        #expect(try record().differences(from: old) == "\(folder.file("t/a")) had 4 bytes, now 5")
        _ = try folder.write("t/a", "aaaa".utf8)
        _ = try folder.write("t/new", "n".utf8)
        #expect(try record().differences(from: old) == "\(folder.file("t/new")) is new")
        try FileManager.default.removeItem(atPath: folder.file("t/s/c"))
        try FileManager.default.removeItem(atPath: folder.file("t/new"))
        #expect(try record().differences(from: old) == "\(folder.file("t/s/c")) is gone")
        _ = try folder.write("t/s/c", "cc".utf8)
        try FileManager.default.moveItem(atPath: folder.file("t/a"), toPath: folder.file("t/z"))
        #expect(
            try record().differences(from: old)
                == "\(folder.file("t/a")) is called \(folder.file("t/z")) now, and files are read by name")
        for i in 0..<5 { _ = try folder.write("t/n\(i)", "n".utf8) }
        #expect(try record().differences(from: old)?.hasSuffix("n1 is new (and 3 files more)") == true)
    }

    @Test func `the list of digests reads back, whatever the names`() throws {
        _ = try folder.write("t/a\nb", "1".utf8)
        _ = try folder.write("t/a\\nb", "2".utf8)
        _ = try folder.write("t/ c \r", "3".utf8)
        let old = try record()
        let copy = try #require(CorpusRecord(old.bytes))
        #expect(copy.differences(from: old) == nil && old.differences(from: copy) == nil)
        #expect(copy.bytes.dropFirst(80) == old.bytes.dropFirst(80))
        #expect(CorpusRecord(Array("rubbish\n".utf8)) == nil)
        #expect(CorpusRecord([]) == nil)
    }

    @Test func `sizes alone tell what they can`() throws {
        let old = try begin()
        let same = try Corpus.load(path: .text(folder.file("t")), heldOut: 0, packed: false, separator: "")
        #expect(CorpusRecord(sizesOf: same).differences(from: old) == nil)
        #expect(CorpusRecord(sizesOf: same).name == "3000006 tokens")
        _ = try folder.write("t/a", "aaaaa".utf8)
        let longer = try Corpus.load(path: .text(folder.file("t")), heldOut: 0, packed: false, separator: "")
        #expect(CorpusRecord(sizesOf: longer).differences(from: old) == "\(folder.file("t/a")) had 4 bytes, now 5")
    }
}
