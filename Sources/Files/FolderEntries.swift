import Glibc

extension Folder {
    /// What the system says of the entries of a folder: names as bytes, in the order of these bytes, whatever the
    /// locale; without itself and the folder above.
    package static func names(_ path: BytePath) throws -> [[UInt8]] {
        guard let stream = path.withCString(opendir) else { throw FileError.system("list it", "\(path)") }
        defer { closedir(stream) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { preconditionFailure("d_name is a field") }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileError.system("list it", "\(path)") }
                break
            }
            // From where it stands: some file systems give names that are longer than the field.
            let start = UnsafeRawPointer(entry) + offset
            let name = [UInt8](
                UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Where a link leads; nil if it is none.
    package static func link(_ path: BytePath) -> BytePath? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { target -> BytePath? in
            let count = path.withCString { readlink($0, target.baseAddress!, target.count) }
            return count > 0 ? BytePath(bytes: target[..<count].map { UInt8(bitPattern: $0) }) : nil
        }
    }
}
