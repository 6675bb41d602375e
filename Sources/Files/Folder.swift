import Foundation

/// Folders, with what the system says when something can't be done.
package enum Folder {
    package static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Makes the folder's entries durable: a file that was made, renamed or removed is so only once its folder says so.
    package static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError.system("sync it", path) }
    }

    /// Makes a folder with all those above it, durably; one that exists is fine.
    /// - Parameter root: a folder on the way that must be there already, with all above it
    package static func make(_ path: String, below root: String? = nil) throws {
        guard !path.isEmpty else {
            throw FileError(path: "\"\"", operation: "make this folder", reason: "the name is empty")
        }
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw FileError(path: path, operation: "make this folder", reason: "a file has its name")
            }
            return
        }
        guard errno == ENOENT else { throw FileError.system("make this folder", path) }
        if let target = linkTarget(path) {
            throw FileError(
                path: path, operation: "make this folder",
                reason: "it is a link to \(target), which is not there: make that folder, or remove the link")
        }
        guard path != root else { throw FileError.system("find this folder", path) }
        let parent = parent(of: path)
        if parent != path { try make(parent, below: root) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileError.system("make this folder", path) }
        try sync(parent)
    }

    /// What a link says; nil for anything else.
    private static func linkTarget(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { bytes in
            let count = readlink(path, bytes.baseAddress!, bytes.count)
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
        }
    }

    /// The absolute path of something that exists, without links; of anything else the path as it is.
    package static func realPath(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    /// Whether two paths lead to the same folder or file.
    package static func areSame(_ one: String, _ other: String) -> Bool {
        guard let a = FileIdentity(one), let b = FileIdentity(other) else { return false }
        return a == b
    }

    /// Whether a path, of what exists, leads into a folder or to the folder itself, whatever links and names are on the
    /// way.
    package static func holds(_ folder: String, _ path: String) -> Bool {
        let (outer, inner) = (realPath(folder), realPath(path))
        return inner == outer || inner.hasPrefix(outer.hasSuffix("/") ? outer : outer + "/")
    }

    /// Names of what it holds, sorted; empty when there is no such folder.
    package static func contents(_ path: String) throws -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw FileError.system("list it", path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether there is a folder of this name, or a link to one.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Bytes of a regular file, nil when there is none.
    package static func size(ofFile path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Removes a folder of plain files.
    /// - Parameter afterFirst: called when one of them is gone
    package static func remove(_ path: String, afterFirst: () throws -> Void = {}) throws {
        for (i, name) in try contents(path).enumerated() {
            guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
                throw FileError.system("remove it", "\(path)/\(name)")
            }
            if i == 0 { try afterFirst() }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileError.system("remove it", path) }
    }
}
