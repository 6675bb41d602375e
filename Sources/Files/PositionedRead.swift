import Glibc

/// Reads of an open file, each at a place of its own.
package enum PositionedRead {
    /// Fills the buffer from the bytes at `offset` on.
    ///
    /// - Returns: how many there are, fewer than asked for only at the file's end; nil for an error, which errno tells
    package static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int
    ) -> Int? {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { break }
            done += count
        }
        return done
    }
}
