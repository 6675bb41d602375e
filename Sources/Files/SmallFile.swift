import Glibc

/// Text files of known, moderate size, read whole.
package enum SmallFile {
    /// More than any manifest: a thousand ranks' files take a megabyte.
    static let limit = 256 << 20

    /// - Parameter most: of a longer file one byte more is read, as a sign
    package static func read(_ path: String, atMost most: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        defer { close(descriptor) }
        return try read(descriptor, path, atMost: most + 1)
    }

    package static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        defer { close(descriptor) }
        let bytes = try read(descriptor, path, atMost: limit + 1)
        guard bytes.count <= limit else {
            throw FileError(path: path, operation: "read it", reason: "it is larger than \(limit) bytes")
        }
        return bytes
    }

    /// The first bytes of a file, fewer if it has no more.
    static func beginning(_ path: String, bytes: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        defer { close(descriptor) }
        return try read(descriptor, path, atMost: bytes)
    }

    private static func read(_ descriptor: Int32, _ path: String, atMost most: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < most {
            let count = piece.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, min($0.count, most - bytes.count))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("read it", path)
            }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    /// Replaces a file durably.
    package static func write(
        _ text: String, to path: String, watch: ((FileMoment) throws -> Void)? = nil
    ) throws {
        let bytes = Array(text.utf8)
        let file = try AtomicFile(path, expectedSize: bytes.count, watch: watch)
        // In two halves, so that a watcher sees the file between them.
        try bytes[..<(bytes.count / 2)].withUnsafeBytes { try file.write($0, at: 0) }
        try bytes[(bytes.count / 2)...].withUnsafeBytes { try file.write($0, at: bytes.count / 2) }
        try file.commit()
    }
}
