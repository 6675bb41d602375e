import Glibc

/// On the way to a complete file: half of its bytes are written, all are, they are flushed to disk.
package enum FileMoment: Sendable { case half, written, flushed }

/// A file that appears under its name only when it is complete: written beside it under a temporary name, synced to
/// disk and renamed by `commit()`. Dropped before that, it leaves nothing behind.
final class AtomicFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    private var digest = ParameterDigest()
    /// Bytes from the beginning that the digest has seen; nil once they came out of order.
    private var digested: Int? = 0
    private let expectedSize: Int
    private let watch: ((FileMoment) throws -> Void)?
    private var isBeyondHalf = false
    private var size = 0

    /// What is written in one call: small enough to be still in the cache after it went through the digest.
    private static let piece = 1 << 20

    /// Marks the names of files under way; what has it after a crash is rubbish.
    static let temporaryMark = ".partial."

    /// - Parameters:
    ///   - expectedSize: of the whole file, for `watch`
    ///   - watch: called on the way; an error that it throws ends the file
    init(_ path: String, expectedSize: Int = 0, watch: ((FileMoment) throws -> Void)? = nil) throws {
        self.path = path
        self.expectedSize = expectedSize
        self.watch = watch
        temporary = "\(path)\(Self.temporaryMark)\(getpid())"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError.system("create it", temporary) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    /// Writes all of `bytes` at `offset` from the beginning.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        if digested != offset { digested = nil }
        var done = 0
        while done < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[done..<min(bytes.count, done + Self.piece)])
            if let before = digested {
                digest.update(piece)
                digested = before + piece.count
            }
            try writeAll(piece, at: offset + done)
            done += piece.count
            size = max(size, offset + done)
            if !isBeyondHalf, 2 * size >= expectedSize {
                isBeyondHalf = true
                try watch?(.half)
            }
        }
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("write to it", temporary)
            }
            done += count
        }
    }

    /// Makes the file durable and visible under its name, replacing what was there.
    ///
    /// - Returns: its size and digest; the latter only if it was written from front to back
    @discardableResult
    func commit() throws -> (size: Int, sha256: String?) {
        try watch?(.written)
        guard fsync(descriptor) == 0 else { throw FileError.system("sync it", temporary) }
        try watch?(.flushed)
        guard rename(temporary, path) == 0 else { throw FileError.system("rename \(temporary) to it", path) }
        close(descriptor)
        descriptor = -1
        try Folder.sync(Folder.parent(of: path))
        return (size, digested == size ? digest.hex() : nil)
    }
}
