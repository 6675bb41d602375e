import Glibc

/// A descriptor for lines that may be lost: what it doesn't take is dropped, whether the disk is full, the reader gone or just not reading.
struct LossyStream {
    private let descriptor: Int32
    /// Pieces of text that were dropped since the last one that was written.
    private var dropped = 0

    /// How long a reader that doesn't read is waited for, in milliseconds; then it is not waited for any more until it reads again.
    private static let patience: Int32 = 2000

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// - Returns: why text gets lost, when that begins
    mutating func write(_ text: String) -> String? {
        if dropped == 0 { return add(text) }
        guard Console.waitUntilWritable(descriptor, milliseconds: 0),
            add("\n(\(dropped) line(s) are missing here: nothing took them)\n" + text) == nil
        else {
            dropped += 1
            return nil
        }
        dropped = 0
        return nil
    }

    /// - Returns: what went wrong
    private mutating func add(_ text: String) -> String? {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            guard Console.waitUntilWritable(descriptor, milliseconds: dropped == 0 ? Self.patience : 0) else {
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
