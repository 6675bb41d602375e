import Files
import Glibc

/// One file of a corpus, as it was when the corpus was put together.
struct CorpusFile: Sendable {
    let path: BytePath
    let stamp: FileStamp
    /// Why its beginning is no text, if it isn't.
    let doubt: String?

    var size: Int { stamp.size }

    /// Bytes that are looked at to tell text from other things.
    private static let beginning = 16 << 10

    /// Looks whether the file can be read and has as many bytes as its file system says.
    init(_ path: BytePath) throws {
        self.path = path
        let file = try OpenFile(path)
        stamp = try file.stamp()
        var bytes = [UInt8](repeating: 0, count: min(max(1, stamp.size), Self.beginning))
        let count = try bytes.withUnsafeMutableBytes { try file.read($0, at: 0) }
        guard stamp.size > 0 || count == 0 else {
            throw CorpusError(
                """
                cannot read the corpus \(path): its file system says that it has no bytes, but it has some, as in \
                /proc or while it is written: copy it to a file of its own
                """
            )
        }
        bytes.removeLast(bytes.count - count)
        doubt = TextCheck.doubt(bytes)
        guard stamp.size > 0 else { return }
        var last: UInt8 = 0
        let found = try withUnsafeMutableBytes(of: &last) { try file.read($0, at: stamp.size - 1) }
        guard found == 1 else {
            throw CorpusError(
                """
                cannot read the corpus \(path): its file system says that it has \(stamp.size) bytes, but it ends \
                before: copy it to a file of its own
                """
            )
        }
    }

    /// - Returns: its stamp now
    /// - Throws: `CorpusError` when it is no longer the same, by its name
    @discardableResult
    func check() throws -> FileStamp {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else {
            if errno == ENOENT { throw CorpusError.changed(path, "it was removed") }
            throw CorpusError.system(path)
        }
        let now = FileStamp(status)
        try check(now)
        return now
    }

    func check(_ now: FileStamp) throws {
        if let change = stamp.change(to: now) { throw CorpusError.changed(path, change) }
    }

    /// For reading, still the same.
    func open() throws -> OpenFile {
        try check()
        let file = try OpenFile(path)
        try check(try file.stamp())
        return file
    }
}

/// A file that is open for reading.
final class OpenFile: Sendable {
    private let path: BytePath
    private let descriptor: Int32

    init(_ path: BytePath) throws {
        self.path = path
        // Should a pipe have come in its place, nobody waits for a writer.
        descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        guard descriptor >= 0 else { throw CorpusError.system(path) }
    }

    deinit { close(descriptor) }

    func stamp() throws -> FileStamp {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw CorpusError.system(path) }
        return FileStamp(status)
    }

    /// The file will be read from front to back.
    func adviseSequential() { posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }

    /// Fills the buffer from the bytes at `offset` on.
    /// - Returns: how many there are; fewer than asked for only at the file's end
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        guard let count = PositionedRead.fill(buffer, from: descriptor, at: offset) else {
            throw CorpusError.system(path)
        }
        return count
    }
}
