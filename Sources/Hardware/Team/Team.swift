import Glibc
import Synchronization

/// Fork-join over pinned threads. The thread that makes the team leads it.
///
/// Shares of work are static: what a worker's share is never depends on timing, so that results don't. A worker is such
/// a share; who computes it is whoever has a core: a worker's own thread as a rule, another one where that is held up.
/// Where workers share cores a core has only as many threads as it can run at a time, each for several workers. A team
/// belongs to its leader's thread: `run`, `forEach` and `stop` are for that thread, and `run` must not be called from
/// inside a body.
package final class Team {
    /// Workers, the leader included.
    package let count: Int
    /// Threads that compute, the leader's included: at most one for each hardware thread.
    package let threadCount: Int
    /// Called by the leader after each fork-join, whatever the count: between kernels a message can be moved on.
    package var onJoin: (() -> Void)?
    /// Set while most pieces of work are smaller than what a fork-join costs, as for one token: then all but the larger
    /// products stay with the leader.
    package var hasLittleWork = false
    /// Set while a breakdown is wanted.
    package var clock: WorkClock?

    private let pool: WorkerPool?
    private let places: ThreadCores?
    private var threads: [PosixThread] = []
    private var isStopped = false

    /// A team of the calling thread alone; it starts and pins nothing.
    package init(serial: Void = ()) {
        count = 1
        threadCount = 1
        pool = nil
        places = nil
    }

    /// Pins the calling thread to the first of `cores`, one a worker, and starts a pinned thread for each other one
    /// that can run beside it.
    ///
    /// - Parameters:
    ///   - oversubscribed: whether other ranks share the cores: waiting threads soon let go of a core that others need.
    ///   - threadsPerCore: for tests; nil: as many as the core has hardware threads
    ///   - onSight: for tests: called by each thread but the leader's that has seen a round and not yet taken a share
    ///     of it
    package init(
        topology: Topology, cores: [Int], oversubscribed: Bool, threadsPerCore: Int? = nil,
        onSight: (@Sendable (_ thread: Int) -> Void)? = nil
    ) throws {
        precondition(!cores.isEmpty, "a team needs at least one core")
        count = cores.count
        let seats = Self.seats(cores) { threadsPerCore ?? topology.usableUnitCount(ofCore: $0) }
        threadCount = seats.count
        let sharesCores = oversubscribed || Set(seats.map(\.core)).count < seats.count
        let places = ThreadCores(topology, cores: seats.map(\.core), wholeCore: sharesCores)
        self.places = places
        try places.enter(as: 0)
        guard cores.count > 1 else {
            pool = nil
            return
        }
        let pool = WorkerPool(
            shares: seats.map(\.workers), cores: places, policy: oversubscribed ? .sharedCore : .ownCore,
            onSight: onSight)
        self.pool = pool
        for number in 1..<max(1, seats.count) {
            let thread = try PosixThread(name: "gecko worker \(number)") {
                pool.report(Result { try places.enter(as: number) })
                pool.work(as: number)
            }
            threads.append(thread)
        }
        do {
            try pool.waitForReports()
        } catch {
            stop()
            throw error
        }
    }

    /// The threads of a team whose workers are on `cores`: the core of each, and the workers whose shares are its own.
    /// The first one is the leader's, with worker 0.
    package static func seats(_ cores: [Int], threads: (_ core: Int) -> Int) -> [(core: Int, workers: [Int])] {
        var seats: [(core: Int, workers: [Int])] = []
        var seen: Set<Int> = []
        for core in cores where seen.insert(core).inserted {
            let workers = cores.indices.filter { cores[$0] == core }
            let count = min(workers.count, max(1, threads(core)))
            for i in 0..<count {
                let own = workers.count * i / count..<workers.count * (i + 1) / count
                seats.append((core, Array(workers[own])))
            }
        }
        return seats
    }

    deinit { stop() }

    /// Runs `body(worker)` once per worker and returns when all have finished.
    ///
    /// - Parameters:
    ///   - work: what a breakdown counts it as; nil: as nothing
    ///   - inPlace: every worker's share is computed on the worker's own core, and is waited for if others hold that:
    ///     for what is about cores,
    ///     or about the memory near them, rather than about a result
    @inline(__always)
    package func run(as work: Work? = nil, inPlace: Bool = false, _ body: (Int) -> Void) {
        if let pool {
            fork(pool, work, inPlace, body)
            onJoin?()
        } else {
            alone(as: work) { body(0) }
        }
    }

    /// Runs `body(task)` for every task in `0..<tasks`; worker `w` takes the consecutive tasks from `tasks * w / count`
    /// on.
    @inline(__always)
    package func forEach(_ tasks: Int, as work: Work? = nil, inPlace: Bool = false, _ body: (Int) -> Void) {
        if let pool, tasks > 1 {
            let count = count
            fork(pool, work, inPlace) { worker in
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
        isStopped = true
        guard let pool else { return }
        pool.dismiss()
        for thread in threads { thread.join() }
        threads = []
    }

    private func fork(_ pool: WorkerPool, _ work: Work?, _ inPlace: Bool, _ body: (Int) -> Void) {
        precondition(!isStopped, "a stopped team cannot run")
        // Nobody reads what is lent when `share` has returned.
        guard let clock, let work else {
            pool.share(LentBody(body), inPlace: inPlace)
            return
        }
        let start = MonotonicClock.seconds
        func counted(_ worker: Int) {
            let start = MonotonicClock.seconds
            body(worker)
            clock.count(work, of: worker, since: start)
        }
        pool.share(LentBody(counted), inPlace: inPlace)
        clock.close(since: start)
    }
}
