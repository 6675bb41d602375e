import Glibc

/// Where the bytes of an output go, found out before the first of them.
///
/// Links are followed: the file at their end is written, the link stays. What isn't a regular file (a device, a pipe, a
/// terminal) is written into and never replaced.
enum OutputTarget {
    /// A regular file, there or not yet: by the path at the end of all links, and its mode if it is there.
    case file(path: String, mode: mode_t?)
    /// Anything else, opened: it takes bytes in their order only.
    case stream(descriptor: Int32)

    init(_ path: String) throws {
        if let number = Self.ownDescriptor(path) {
            // By number: opening the name of a file that standard output goes to would write from its beginning.
            let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else { throw FileError.system("write into it", path) }
            self = .stream(descriptor: copy)
            return
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw FileError.system("write it", path) }
            self = .file(path: try Self.end(of: path), mode: nil)
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard access(path, W_OK) == 0 else { throw FileError.system("write it", path) }
            self = .file(path: try Self.end(of: path), mode: status.st_mode & 0o7777)
        case S_IFDIR:
            throw FileError(path: path, operation: "write it", reason: "it is a folder: give a file in it")
        default:
            let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw FileError.system("write into it", path) }
            self = .stream(descriptor: descriptor)
        }
    }

    /// The number in /dev/stdout, /dev/stderr, /dev/fd/N, /proc/self/fd/N, or in a link to one of them.
    private static func ownDescriptor(_ path: String) -> Int32? {
        var path = path
        for _ in 0..<longestChain {
            switch path {
            case "/dev/stdout": return STDOUT_FILENO
            case "/dev/stderr": return STDERR_FILENO
            default: break
            }
            for folder in ["/dev/fd/", "/proc/self/fd/", "/proc/\(getpid())/fd/"] where path.hasPrefix(folder) {
                return Int32(path.dropFirst(folder.count))
            }
            guard let next = link(path) else { return nil }
            path = next
        }
        return nil
    }

    /// The path at the end of a chain of links, whether there is a file or not.
    private static func end(of path: String) throws -> String {
        var path = path
        for _ in 0..<longestChain {
            guard let next = link(path) else { return path }
            path = next
        }
        errno = ELOOP
        throw FileError.system("follow its links", path)
    }

    /// Linux follows so many.
    private static let longestChain = 40

    /// What a link points to, seen from where we are; nil if it is none.
    private static func link(_ path: String) -> String? {
        let target = withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { bytes -> String? in
            let count = readlink(path, bytes.baseAddress!, bytes.count)
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
        }
        guard let target else { return nil }
        return target.hasPrefix("/") ? target : "\(Folder.parent(of: path))/\(target)"
    }
}
