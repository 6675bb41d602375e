import Glibc
import Synchronization

/// Fork-join over pinned threads. The thread that makes the team leads it and is worker 0.
///
/// Shares of work are static, so that which worker does what never depends on timing. A team belongs to its leader's thread:
/// `run`, `forEach` and `stop` are for that thread, and `run` must not be called from inside a body.
package final class Team {
    /// Workers, the leader included.
    package let count: Int
    /// Called by the leader after each fork-join, whatever the count: between kernels a message can be moved on.
    package var onJoin: (() -> Void)?
    /// Set while a breakdown is wanted.
    package var clock: WorkClock?

    private let crew: Crew?
    private var threads: [PosixThread] = []

    /// A team of the calling thread alone; it starts and pins nothing.
    package init(serial: Void = ()) {
        count = 1
        crew = nil
    }

    /// Pins the calling thread to the first of `cores` and starts a pinned worker for each other one.
    ///
    /// When the cores are `oversubscribed`, waiting workers yield at once instead of holding a core that others need.
    package init(topology: Topology, cores: [Int], oversubscribed: Bool) throws {
        precondition(!cores.isEmpty, "a team needs at least one core")
        count = cores.count
        try topology.pin(toCore: cores[0], wholeCore: oversubscribed)
        guard cores.count > 1 else {
            crew = nil
            return
        }
        let crew = Crew(count: cores.count, policy: oversubscribed ? .sharedCore : .ownCore)
        self.crew = crew
        for worker in 1..<cores.count {
            let thread = try PosixThread(name: "gecko worker \(worker)") {
                let pinned = Result { try topology.pin(toCore: cores[worker], wholeCore: oversubscribed) }
                crew.report(pinned, from: worker)
                crew.work(as: worker)
            }
            threads.append(thread)
        }
        do {
            try crew.waitForReports()
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    /// Runs `body(worker)` once per worker and returns when all have finished.
    ///
    /// - Parameter work: what a breakdown counts it as; nil: as nothing
    @inline(__always)
    package func run(as work: Work? = nil, _ body: (Int) -> Void) {
        if let crew {
            fork(crew, work, body)
            onJoin?()
        } else {
            alone(as: work) { body(0) }
        }
    }

    /// Runs `body(task)` for every task in `0..<tasks`; worker `w` takes the consecutive tasks from `tasks * w / count` on.
    @inline(__always)
    package func forEach(_ tasks: Int, as work: Work? = nil, _ body: (Int) -> Void) {
        if let crew, tasks > 1 {
            let count = count
            fork(crew, work) { worker in
                for task in (tasks &* worker / count)..<(tasks &* (worker &+ 1) / count) { body(task) }
            }
            onJoin?()
        } else {
            alone(as: work) { for task in 0..<tasks { body(task) } }
        }
    }

    /// Runs `body` on the leader, while the workers wait.
    @inline(__always)
    package func alone<Value, Failure: Error>(
        as work: Work?, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let start = clock.map { _ in MonotonicClock.seconds }
        let value = try body()
        if let start, let work { clock?.alone(work, since: start) }
        onJoin?()
        return value
    }

    /// Ends the workers and waits for their end. A stopped team must not run again.
    package func stop() {
        guard let crew else { return }
        crew.dismiss()
        for thread in threads { thread.join() }
        threads = []
    }

    private func fork(_ crew: Crew, _ work: Work?, _ body: (Int) -> Void) {
        precondition(!threads.isEmpty, "a stopped team cannot run")
        // The workers are done with what they are lent when `share` returns.
        guard let clock, let work else {
            crew.share(LentBody(body))
            return
        }
        let start = MonotonicClock.seconds
        func counted(_ worker: Int) {
            let start = MonotonicClock.seconds
            body(worker)
            clock.count(work, of: worker, since: start)
        }
        crew.share(LentBody(counted))
        clock.close(since: start)
    }
}
