import Glibc

/// A descriptor for lines that may be lost: what it doesn't take is dropped, whether the disk is full, the reader gone
/// or just not reading.
package struct LossyStream {
    private let descriptor: Int32
    /// Pieces of text that were dropped since the last one that was written.
    private var dropped = 0

    /// How long a reader that doesn't read is waited for, in milliseconds; then it is not waited for any more until it
    /// reads again.
    private let patience: Int32

    package init(_ descriptor: Int32, patience: Int32 = 2000) {
        self.descriptor = descriptor
        self.patience = patience
    }

    /// - Returns: why text gets lost, when that begins
    package mutating func write(_ text: String) -> String? {
        guard dropped > 0 else { return add(text) }
        let before = dropped
        dropped = add("\n(\(before) line(s) are missing here: nothing took them)\n" + text) == nil ? 0 : before + 1
        return nil
    }

    /// - Returns: what went wrong
    private mutating func add(_ text: String) -> String? {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            guard Console.waitUntilWritable(descriptor, milliseconds: dropped == 0 ? patience : 0) else {
                dropped += 1
                return "its reader doesn't read"
            }
            // What a pipe takes at once when it says that it takes something.
            let piece = bytes.prefix(Int(PIPE_BUF))
            let count = piece.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                let reason = errno == EBADF ? "it is closed" : String(cString: strerror(errno))
                dropped += 1
                return reason
            }
            bytes.removeFirst(count)
        }
        return nil
    }
}
