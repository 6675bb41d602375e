import Glibc

/// SHA-256 of files, read piece by piece: a file that shrinks meanwhile is an error and no crash.
package enum FileDigest {
    /// - Returns: the digest in hexadecimal, and how many bytes there were
    package static func sha256(_ path: String) throws -> (size: Int, sha256: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        defer { close(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        var digest = ParameterDigest()
        var size = 0
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { piece.deallocate() }
        while true {
            let count = Glibc.read(descriptor, piece.baseAddress, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("read it", path)
            }
            if count == 0 { break }
            digest.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            size += count
        }
        return (size, digest.hex())
    }
}
