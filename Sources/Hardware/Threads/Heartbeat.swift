import Locks
import Synchronization

/// A thread's signs of life and what it is doing, for a `Watchdog` on another thread.
package final class Heartbeat: Sendable {
    private struct State {
        var activity: any Activity
        /// What it waits for, while a wait lasts.
        var wait: String?
        var isBusy = false
    }

    package let name: String
    private let beats = Atomic<Int>(0)
    private let state: Lock<State>

    package init(name: String) {
        self.name = name
        state = Lock(State(activity: "does nothing"))
    }

    /// A sign of life: cheap enough for every look of a polling loop.
    @inline(__always)
    package func beat() { beats.add(1, ordering: .relaxed) }

    /// The thread has turned to something new.
    package func turn(to activity: any Activity) {
        state.withLock { $0.activity = activity }
        beat()
    }

    /// Runs a body during which signs of life are expected.
    package func busy<Value>(_ activity: any Activity, _ body: () throws -> Value) rethrows -> Value {
        state.withLock {
            $0.activity = activity
            $0.isBusy = true
        }
        beat()
        defer { state.withLock { $0.isBusy = false } }
        return try body()
    }

    /// What a wait that has lasted for a while is for; nil when it is over.
    package func waits(for what: String?) { state.withLock { $0.wait = what } }

    /// What it does beside waiting.
    package var task: any Activity { state.withLock { $0.activity } }

    /// As the end of a sentence: "computes F of sequence 1, slice 0".
    package var activity: String { state.withLock { $0.wait.map { "waits for \($0)" } ?? "\($0.activity)" } }

    /// Changes with every sign of life; nil while none is expected.
    var count: Int? { state.withLock { $0.isBusy } ? beats.load(ordering: .relaxed) : nil }
}
