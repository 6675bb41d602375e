import Corpora
import Files
import Locks

/// Prints bytes as they come, whole characters at a time.
final class Printer: Sendable {
    private let decoder = Lock(ByteDecoder())

    func put(_ text: String) throws { try show(text) }

    func put(_ token: Int32) throws {
        try show(decoder.withLock { $0.decode(token) })
    }

    func finish() throws {
        try show(decoder.withLock { $0.finish() } + "\n")
    }

    private func show(_ text: String) throws { try Console.show(text.withVisibleControls, terminator: "") }
}
