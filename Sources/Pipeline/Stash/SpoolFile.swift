import CFiles
import Figures
import Glibc
import Hardware

/// A nameless file on a disk, of fixed size: gone with the process, however that ends.
///
/// Transfers go past the page cache where the file system allows it (O_DIRECT), so that what is on the disk isn't in
/// memory too. Where it doesn't, each transfer waits for the disk and drops its pages from the cache.
package final class SpoolFile: Sendable {
    private let descriptor: Int32
    private let isDirect: Bool
    private let directory: String

    /// Most bytes of one system call: the cache, where it is used, never holds more.
    private static let piece = 8 << 20

    /// Takes `bytes` of the disk at once.
    ///
    /// - Throws: `SpoolError` with what was needed and what there is
    package init(directory: String, bytes: Int) throws {
        self.directory = directory
        (descriptor, isDirect) = try Self.open(directory)
        do { try reserve(bytes) } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    private static func open(_ directory: String) throws -> (descriptor: Int32, isDirect: Bool) {
        for direct in [cfiles_direct(), 0] {
            let nameless = cfiles_open_nameless(directory, direct)
            if nameless >= 0 { return (nameless, direct != 0) }
            guard errno == EOPNOTSUPP || errno == EINVAL || errno == EISDIR else { break }
            // A file system without nameless files: the name goes at once.
            let name = "\(directory)/gecko-stash-\(getpid())-\(UInt32.random(in: 0...(.max)))"
            let named = Glibc.open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | direct, 0o600)
            if named >= 0 {
                unlink(name)
                return (named, direct != 0)
            }
            // EINVAL: no way past the page cache here.
            guard errno == EINVAL else { break }
            unlink(name)
        }
        throw SpoolError(
            "the stash cannot be put into \(directory): \(String(cString: strerror(errno))). "
                + "Give a folder on a disk of the node that can be written, as in pipeline.stash_directory = "
                + "\"/scratch\""
        )
    }

    private func reserve(_ bytes: Int) throws {
        if cfiles_reserve(descriptor, bytes) == 0 { return }
        let code = errno
        var system = statvfs()
        let free = fstatvfs(descriptor, &system) == 0 ? Int(system.f_bavail) * Int(system.f_frsize) : nil
        // A file system that cannot reserve: what is free now has to do, and a transfer tells when it isn't any more.
        if code == EOPNOTSUPP, let free, free >= bytes, ftruncate(descriptor, bytes) == 0 { return }
        throw SpoolError(
            "the stash needs \(bytes.asShortBytes) of \(directory), where "
                + (free.map { "\($0.asShortBytes) are free" } ?? "they cannot be had")
                + " (\(String(cString: strerror(code)))). Name a larger disk with pipeline.stash_directory, "
                + "or need less: pipeline.recompute = true, or a schedule that holds fewer slices")
    }

    /// Writes whole pages at a multiple of a page.
    package func write(_ memory: UnsafeRawBufferPointer, at offset: Int) throws {
        try transfer(memory.count, "write", at: offset) { from, count in
            pwrite(descriptor, memory.baseAddress! + from, count, offset + from)
        } cached: { start, count in
            cfiles_flush(descriptor, start, count) == 0
        }
    }

    /// Reads whole pages at a multiple of a page.
    package func read(into memory: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        try transfer(memory.count, "read", at: offset) { from, count in
            pread(descriptor, memory.baseAddress! + from, count, offset + from)
        } cached: { _, _ in
            true
        }
    }

    private func transfer(
        _ count: Int, _ what: String, at offset: Int, _ call: (_ from: Int, _ count: Int) -> Int,
        cached: (_ start: Int, _ count: Int) -> Bool
    ) throws {
        var done = 0
        while done < count {
            let moved = call(done, min(Self.piece, count - done))
            if moved < 0 && errno == EINTR { continue }
            let reason = moved == 0 ? "the file ends" : String(cString: strerror(errno))
            guard moved > 0, isDirect || cached(offset + done, moved) else {
                throw SpoolError(
                    "cannot \(what) \(count.asShortBytes) of the stash in \(directory): \(reason)")
            }
            if !isDirect { posix_fadvise(descriptor, offset + done, moved, POSIX_FADV_DONTNEED) }
            done += moved
        }
    }
}

/// Something is wrong with the disk that the stash is spooled to.
struct SpoolError: Error, CustomStringConvertible, Sendable {
    let description: String
    init(_ description: String) { self.description = description }
}
