import Files
import Foundation
import Locks

/// The files of a corpus, read where they are needed. They are never mapped: a file that shrinks is an error here and
/// would be the end of the process there. Around each look into a file it is compared with what it was at the start.
final class CorpusReader: Sendable {
    let files: [CorpusFile]

    /// Files that were read last, by their place in `files`, the latest at the end.
    private let opened = Lock<[(index: Int, file: OpenFile)]>([])
    private static let mostOpened = 32

    /// Files that something happened to which their times and sizes don't show: the stamp that was seen, and whether
    /// somebody has asked for it.
    private let touched = Lock<[Int: (stamp: FileStamp, isTold: Bool)]>([:])

    /// Bytes in one read of a whole file: few enough to be still in the cache when they are looked at.
    private static let piece = 1 << 18

    init(_ files: [CorpusFile]) { self.files = files }

    /// Lets the body read from a file, which is the same before and after.
    func look(into index: Int, _ body: (OpenFile) throws -> Void) throws {
        let now = try files[index].check()
        if now.isTouched(since: files[index].stamp) { note(index, now) }
        let file = try open(index)
        try body(file)
        try files[index].check(try file.stamp())
    }

    private func note(_ index: Int, _ now: FileStamp) {
        touched.withLock {
            if let known = $0[index], !now.isTouched(since: known.stamp) { return }
            $0[index] = (now, false)
        }
    }

    /// Files whose bytes might be others although nothing but their change of state says so; each change is told once.
    func takeTouched() -> [Int] {
        touched.withLock { touched in
            let fresh = touched.filter { !$0.value.isTold }.keys.sorted()
            for index in fresh { touched[index]?.isTold = true }
            return fresh
        }
    }

    /// All bytes of a file, piece by piece; nothing is kept open.
    /// - Parameter body: gets each piece; the last `overlap` bytes of one come again at the beginning of the next
    func readAll(_ index: Int, overlap: Int = 0, _ body: (_ start: Int, UnsafeRawBufferPointer) throws -> Void) throws {
        let corpusFile = files[index]
        let file = try corpusFile.open()
        file.adviseSequential()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece + overlap, alignment: 64)
        defer { buffer.deallocate() }
        var start = 0
        var kept = 0
        while start + kept < corpusFile.size {
            let wanted = min(buffer.count - kept, corpusFile.size - start - kept)
            try Self.fill(
                UnsafeMutableRawBufferPointer(rebasing: buffer[kept..<kept + wanted]), from: file, at: start + kept,
                of: corpusFile)
            let count = kept + wanted
            try body(start, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            kept = min(overlap, count)
            memmove(buffer.baseAddress!, buffer.baseAddress! + count - kept, kept)
            start += count - kept
        }
        try corpusFile.check(try file.stamp())
        try corpusFile.check()
    }

    /// All of the bytes that are asked for.
    static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from file: OpenFile, at offset: Int, of corpusFile: CorpusFile
    ) throws {
        let found = try file.read(buffer, at: offset)
        guard found == buffer.count else {
            throw CorpusError.changed(
                corpusFile.path, "it had \(corpusFile.size) bytes, now it ends after \(offset + found)")
        }
    }

    private func open(_ index: Int) throws -> OpenFile {
        try opened.withLock { opened in
            if let place = opened.lastIndex(where: { $0.index == index }) {
                let found = opened.remove(at: place)
                opened.append(found)
                return found.file
            }
            let file = try files[index].open()
            if opened.count == Self.mostOpened { opened.removeFirst() }
            opened.append((index, file))
            return file
        }
    }
}
