import Corpora
import Foundation
import Synchronization

/// Prints bytes as they come, whole characters at a time.
final class Printer: Sendable {
    private let decoder = Mutex(ByteDecoder())

    func put(_ text: String) { show(text) }

    func put(_ token: Int32) {
        show(decoder.withLock { $0.decode(token) })
    }

    func finish() {
        show(decoder.withLock { $0.finish() } + "\n")
    }

    private func show(_ text: String) {
        FileHandle.standardOutput.write(Data(text.withVisibleControls.utf8))
    }
}
