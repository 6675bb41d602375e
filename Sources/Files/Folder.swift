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
    package static func make(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw FileError(path: path, operation: "make this folder", reason: "a file has its name")
            }
            return
        }
        let parent = parent(of: path)
        if parent != path { try make(parent) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileError.system("make this folder", path) }
        try sync(parent)
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
