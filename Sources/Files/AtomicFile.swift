import Glibc

/// On the way to a complete file: half of its bytes are written, all are, they are flushed to disk.
package enum FileMoment: Sendable { case half, written, flushed }

/// The one writer of files. A file appears under its name only when it is complete: written beside it under a temporary
/// name, synced to disk and renamed by `commit()`. Dropped before that, it leaves nothing behind. A file that is
/// replaced keeps its mode, a link stays one.
///
/// A device or a pipe is written into, from front to back, and stays what it is.
package final class AtomicFile {
    /// As it was given; for messages.
    private let name: String
    /// Under which the file will appear, and under which it is written; nil where bytes go straight into what is there.
    private let place: (path: String, temporary: String)?
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
    package static let temporaryMark = ".partial."

    /// A temporary name must not be too long where the file's own is just short enough.
    private static let longestName = 200

    /// - Parameters:
    ///   - expectedSize: of the whole file, for `watch`
    ///   - watch: called on the way; an error that it throws ends the file
    package init(_ path: String, expectedSize: Int = 0, watch: ((FileMoment) throws -> Void)? = nil) throws {
        name = path
        self.expectedSize = expectedSize
        self.watch = watch
        switch try OutputTarget(path) {
        case .stream(let descriptor):
            place = nil
            self.descriptor = descriptor
        case .file(let path, let mode):
            let file = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
            let stem = String(decoding: file.utf8.prefix(Self.longestName), as: UTF8.self)
            let temporary = "\(path.dropLast(file.count))\(stem)\(Self.temporaryMark)\(getpid())"
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode ?? 0o644)
            place = (path, temporary)
            guard descriptor >= 0 else { throw FileError.system("create it", temporary) }
            if let mode { fchmod(descriptor, mode) }
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if let place { unlink(place.temporary) }
    }

    /// Writes all of `bytes` at `offset` from the beginning.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
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
            let (rest, left) = (bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if place == nil, offset != size {
                throw FileError(
                    path: name, operation: "write it out of order", reason: "it is not a regular file: give one")
            }
            let count =
                place == nil
                ? Glibc.write(descriptor, rest, left) : pwrite(descriptor, rest, left, off_t(offset + done))
            if count < 0 {
                if errno == EINTR || (errno == EAGAIN && Console.waitUntilWritable(descriptor)) { continue }
                throw FileError.system("write to it", place?.temporary ?? name)
            }
            done += count
        }
    }

    /// Makes the file durable and visible under its name, replacing what was there.
    ///
    /// - Returns: its size and digest; the latter only if it was written from front to back
    @discardableResult
    package func commit() throws -> (size: Int, sha256: String?) {
        try watch?(.written)
        if let place {
            guard fsync(descriptor) == 0 else { throw FileError.system("sync it", place.temporary) }
            try watch?(.flushed)
            guard rename(place.temporary, place.path) == 0 else {
                throw FileError.system("rename \(place.temporary) to it", place.path)
            }
        }
        close(descriptor)
        descriptor = -1
        if let place { try Folder.sync(Folder.parent(of: place.path)) }
        return (size, digested == size ? digest.hex() : nil)
    }
}
