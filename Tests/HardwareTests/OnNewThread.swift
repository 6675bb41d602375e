import Foundation
import Locks

/// Runs `body` on a thread of its own, so that pinning it touches nobody else, and waits for it.
func onNewThread(_ body: @escaping @Sendable () throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    let failure = Lock<(any Error)?>(nil)
    Thread.detachNewThread {
        do { try body() } catch { failure.withLock { $0 = error } }
        done.signal()
    }
    done.wait()
    if let error = failure.withLock({ $0 }) { throw error }
}
