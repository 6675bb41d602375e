import CCPU
import Glibc

/// A thread of the operating system that runs one closure.
///
/// Swift's own pool is for work that suspends; a worker or a stage loop blocks and is pinned, so it owns a thread.
package final class PosixThread: Sendable {
    private let handle: pthread_t

    /// Starts the thread. `name` shows in debuggers and profilers (15 characters at most are kept).
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                // The argument is the pointer given to pthread_create below.
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                ccpu_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw HardwareError.threadRefused(name: name, reason: HardwareError.text(code))
        }
        handle = thread
    }

    /// Waits until the closure has returned. Call it once, from another thread: what the system holds of a thread that
    /// has ended, its stack too, is given back here.
    package func join() { pthread_join(handle, nil) }

    /// Starts a thread that nobody waits for: the system takes back what it holds when the closure returns.
    package static func detached(name: String, _ body: @escaping @Sendable () -> Void) throws {
        pthread_detach(try PosixThread(name: name, body).handle)
    }

    var isCurrent: Bool { pthread_equal(pthread_self(), handle) != 0 }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
