import Locks
import Synchronization

/// A serial executor that owns one thread, for an actor whose work must stay on that thread: MPI allows calls from one
/// thread only, and a pinned thread keeps its caches.
///
///     actor Stage {
///         nonisolated let executor: ThreadExecutor
///         nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
///     }
///
/// The thread lives until `stop`, and keeps the executor alive until then.
package final class ThreadExecutor: SerialExecutor, Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isClosed = false
    }

    private let name: String
    private let policy: WaitPolicy
    private let queue = Lock(Queue())
    private let queued = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let bell = Doorbell()
    /// Nil before it runs. It stays after its end: jobs that are still queued when it is stopped run on it, too.
    private let thread = Lock<PosixThread?>(nil)
    private let isStopped = Atomic<Bool>(false)

    /// Starts the thread, which runs `onStart` before any job: the place to pin it.
    package init(
        name: String, policy: WaitPolicy = .sharedCore, onStart: @escaping @Sendable () -> Void = {}
    ) throws {
        self.name = name
        self.policy = policy
        try thread.withLock {
            $0 = try PosixThread(name: name) {
                onStart()
                self.runJobs()
            }
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock {
            precondition(!$0.isClosed, "executor \(name) was given a job after it was stopped")
            $0.jobs.append(job)
            queued.add(1, ordering: .releasing)
        }
        bell.ring()
    }

    /// Runs the jobs that are queued, ends the thread and waits for its end. Call it from another thread; calls after
    /// the first do nothing.
    package func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed), let running = thread.withLock({ $0 }) else { return }
        precondition(!running.isCurrent, "executor \(name) cannot be stopped by its own thread")
        isStopping.store(true, ordering: .releasing)
        bell.ring()
        running.join()
    }

    package func checkIsolated() {
        precondition(isCurrent, "expected to run on executor \(name)")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Whether the calling thread is the executor's.
    package var isCurrent: Bool { thread.withLock { $0?.isCurrent ?? false } }

    private func runJobs() {
        var batch: [UnownedJob] = []
        while true {
            waitForJobs()
            queue.withLock {
                swap(&batch, &$0.jobs)
                queued.store(0, ordering: .relaxed)
                $0.isClosed = batch.isEmpty && isStopping.load(ordering: .acquiring)
            }
            if batch.isEmpty && isStopping.load(ordering: .acquiring) { return }
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private func waitForJobs() {
        var backoff = Backoff(policy)
        while !isAwaited {
            if !backoff.pause() { bell.sleep { isAwaited } }
        }
    }

    /// Jobs that wait for the thread.
    package var queuedJobs: Int { queued.load(ordering: .acquiring) }
    /// Whether it takes no more jobs than those it has.
    package var isBeingStopped: Bool { isStopping.load(ordering: .acquiring) }

    private var isAwaited: Bool {
        queued.load(ordering: .acquiring) > 0 || isStopping.load(ordering: .acquiring)
    }
}
