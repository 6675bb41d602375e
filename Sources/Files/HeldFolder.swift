import Glibc

/// A folder that is kept open, so that it is noticed when its name leads to nothing or to something else: renamed,
/// removed, replaced, no longer mounted.
package final class HeldFolder: Sendable {
    package let path: String
    private let descriptor: Int32
    private let identity: FileIdentity

    package init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw FileError.system("examine it", path)
        }
        identity = FileIdentity(status)
    }

    deinit { close(descriptor) }

    /// - Throws: `FileError` that tells what has become of the folder
    package func check() throws {
        let found = FileIdentity(path)
        guard found != identity else { return }
        let problem = errno
        throw FileError(path: path, operation: "save into this folder", reason: fate(found != nil, problem))
    }

    /// Why something failed in the folder: it may go at any moment, and then that is what there is to tell.
    package func cause(of error: any Error) -> any Error {
        do { try check() } catch let gone { return gone }
        return error
    }

    private func fate(_ isReplaced: Bool, _ problem: Int32) -> String {
        let other = isReplaced ? ", and something else has its name" : ""
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else {
            return "it was removed while the run was under way\(other)"
        }
        guard let now = name, now != Folder.realPath(path) else {
            return isReplaced
                ? "another file system was mounted over it, or its own is gone" : String(cString: strerror(problem))
        }
        return "it was renamed to \(now) while the run was under way\(other): give it its name back"
    }

    /// What the folder is called now.
    private var name: String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { bytes in
            let count = readlink("/proc/self/fd/\(descriptor)", bytes.baseAddress!, bytes.count)
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
        }
    }
}
