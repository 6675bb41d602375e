import Glibc

/// A file that appears under its name only when it is complete: written beside it under a temporary name, synced to
/// disk and renamed by `commit()`. Dropped before that, it leaves nothing behind.
final class AtomicFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        temporary = "\(path).partial.\(getpid())"
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
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, min(bytes.count - done, 1 << 30), off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("write to it", temporary)
            }
            done += count
        }
    }

    /// Makes the file durable and visible under its name, replacing what was there.
    func commit() throws {
        guard fsync(descriptor) == 0 else { throw FileError.system("sync it", temporary) }
        guard rename(temporary, path) == 0 else { throw FileError.system("rename \(temporary) to it", path) }
        close(descriptor)
        descriptor = -1
        try Self.syncFolder(of: path)
    }

    /// A rename is durable only once the folder's own entry is.
    private static func syncFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError.system("sync it", folder) }
    }
}
