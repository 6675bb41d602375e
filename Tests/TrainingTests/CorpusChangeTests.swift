import Corpora
import Foundation
import Testing

/// A file that isn't any more what it was when the run began is found at the next look into it, and named.
@Suite struct CorpusChangeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// More than a page, and more than any buffer.
    private static let size = 3 << 20

    private func change(_ change: (_ path: String) throws -> Void) throws -> String? {
        let path = try folder.write("l.bin", [UInt8](repeating: 65, count: Self.size))
        let corpus = try Corpus.load(path: .text(path), heldOut: 0, packed: false, separator: "")
        var tokens = [Int32](repeating: 0, count: 1000)
        try tokens.withUnsafeMutableBufferPointer { try corpus.copyTokens(from: 5000, into: $0) }
        try change(path)
        var found: String?
        do {
            try tokens.withUnsafeMutableBufferPointer { try corpus.copyTokens(from: 5000, into: $0) }
        } catch {
            found = "\(error)"
        }
        // Reading all of it finds the same.
        let all = Result { try CorpusRecord(reading: corpus) }
        if case .failure(let error) = all { #expect("\(error)" == found) } else { #expect(found == nil) }
        return found
    }

    @Test func `cut off, or grown`() throws {
        let path = folder.file("l.bin")
        let cut = try change { #expect(truncate($0, 0) == 0) }
        #expect(cut == "\(path) changed while it was read: it had \(Self.size) bytes, now 0")
        let grown = try change {
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: $0))
            try file.seekToEnd()
            try file.write(contentsOf: Data([1]))
            try file.close()
        }
        #expect(grown == "\(path) changed while it was read: it had \(Self.size) bytes, now \(Self.size + 1)")
    }

    @Test func `written to in place`() throws {
        let found = try change {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: $0))
            try file.write(contentsOf: Data([66]))
            try file.close()
            // Clocks of file systems may be coarse.
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: 10)], ofItemAtPath: $0)
        }
        #expect(found?.hasSuffix("as many bytes as before, but was written to") == true, "\(found ?? "")")
    }

    @Test func `removed, replaced, or with a pipe in its place`() throws {
        let removed = try change { #expect(unlink($0) == 0) }
        #expect(removed?.hasSuffix("it was removed") == true)
        let replaced = try change {
            let other = try folder.write("other", [UInt8](repeating: 66, count: Self.size))
            #expect(rename(other, $0) == 0)
        }
        #expect(replaced?.hasSuffix("another file has its name now") == true)
        let pipe = try change { #expect(unlink($0) == 0 && mkfifo($0, 0o644) == 0) }
        #expect(pipe?.hasSuffix("another file has its name now") == true)
    }

    @Test func `given another mode it is the same; written to with its time set back it isn't`() throws {
        let path = try folder.write("l.bin", [UInt8](repeating: 65, count: Self.size))
        let corpus = try Corpus.load(path: .text(path), heldOut: 0, packed: false, separator: "")
        let record = try #require(try CorpusRecord(reading: corpus))
        func look() throws -> [Int] {
            var tokens = [Int32](repeating: 0, count: 10)
            try tokens.withUnsafeMutableBufferPointer { try corpus.copyTokens(from: 0, into: $0) }
            return corpus.takeTouched()
        }
        #expect(try look() == [])
        // Until the file system's clock has gone on.
        func touch() throws {
            for _ in 0..<500 {
                #expect(chmod(path, 0o600) == 0 && chmod(path, 0o644) == 0)
                let touched = try look()
                if !touched.isEmpty {
                    #expect(touched == [0])
                    break
                }
                usleep(2000)
            }
        }
        try touch()
        #expect(try look() == [])
        try record.compare([0], of: corpus)
        var status = stat()
        #expect(stat(path, &status) == 0)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: 2_000_000)
        try file.write(contentsOf: Data([66]))
        try file.close()
        let times = [status.st_atim, status.st_mtim]
        #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
        try touch()
        let error = #expect(throws: CorpusError.self) { try record.compare([0], of: corpus) }
        #expect(
            error?.description.hasSuffix("the same time, but its bytes are others") == true,
            "\(error?.description ?? "")")
    }
}
