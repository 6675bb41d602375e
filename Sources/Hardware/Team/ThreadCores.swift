import Glibc
import Locks
import Synchronization

/// Which core each thread of a team is pinned to, and the means to move one whose core is held by another program.
///
/// A thread that loses its core in the middle of a share has what all others wait for, and the system gives the core
/// back only when a time slice is over, milliseconds later. A thread that waits for it has a core to spare: it brings
/// the other one there. A worker goes home after its share; the leader keeps the better core and the worker takes the
/// leader's.
///
/// `@unchecked Sendable`: a thread writes its own handles in `enter`, before a pool reports that it is complete and
/// thus before others read them; all else is atomic.
final class ThreadCores: @unchecked Sendable {
    private enum Place {
        static let home = 0
        static let moving = 1
        /// On the leader's core.
        static let away = 2
    }

    private let topology: Topology
    private let wholeCore: Bool
    private let handles: UnsafeMutablePointer<pthread_t>
    private let clocks: UnsafeMutablePointer<clockid_t>
    private let homes: UnsafeMutablePointer<Atomic<Int>>
    private let places: UnsafeMutablePointer<Atomic<Int>>
    /// Of the threads in the list of those that are pinned.
    private let keys = Lock<[Int]>([])

    /// - Parameter cores: of each thread, the leader's first
    init(_ topology: Topology, cores: [Int], wholeCore: Bool) {
        self.topology = topology
        self.wholeCore = wholeCore
        handles = .allocate(capacity: cores.count)
        clocks = .allocate(capacity: cores.count)
        homes = .allocate(capacity: cores.count)
        places = .allocate(capacity: cores.count)
        handles.initialize(repeating: pthread_self(), count: cores.count)
        clocks.initialize(repeating: CLOCK_MONOTONIC, count: cores.count)
        for (thread, core) in cores.enumerated() {
            (homes + thread).initialize(to: Atomic(core))
            (places + thread).initialize(to: Atomic(Place.home))
        }
    }

    deinit {
        PinnedThreads.remove(keys.withLock { $0 })
        handles.deallocate()
        clocks.deallocate()
        homes.deallocate()
        places.deallocate()
    }

    /// Pins the calling thread, as `thread` of the team.
    func enter(as thread: Int) throws {
        handles[thread] = pthread_self()
        pthread_getcpuclockid(pthread_self(), clocks + thread)
        try topology.pin(toCore: homes[thread].load(ordering: .relaxed), wholeCore: wholeCore)
        let key = PinnedThreads.add { [weak self] in self?.homes[thread].load(ordering: .relaxed) ?? -1 }
        keys.withLock { $0.append(key) }
    }

    /// Seconds for which a thread has had a core since it began, up to this moment. A system call.
    func seconds(of thread: Int) -> Double {
        var time = timespec()
        clock_gettime(clocks[thread], &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// Moves a worker to the leader's core, which the caller, the leader, leaves to it until it is done.
    func bring(_ worker: Int) {
        guard claim(worker) else { return }
        let isMoved = pin(worker, to: homes[0].load(ordering: .relaxed))
        places[worker].store(isMoved ? Place.away : Place.home, ordering: .releasing)
    }

    /// To be called by every thread between its shares.
    /// - Returns: whether it was away
    @inline(__always)
    func returnHome(_ thread: Int) -> Bool {
        guard isAway(thread) else { return false }
        goHome(thread)
        return true
    }

    func isAway(_ thread: Int) -> Bool { places[thread].load(ordering: .relaxed) == Place.away }

    private func goHome(_ thread: Int) {
        _ = pin(thread, to: homes[thread].load(ordering: .relaxed))
        places[thread].store(Place.home, ordering: .releasing)
    }

    /// The leader gets the core of the caller, which takes the leader's: for good, as the leader also works between
    /// rounds.
    func giveCoreToLeader(from worker: Int) {
        guard claim(0) else { return }
        let (lost, better) = (homes[0].load(ordering: .relaxed), homes[worker].load(ordering: .relaxed))
        if pin(0, to: better) {
            homes[0].store(better, ordering: .relaxed)
            homes[worker].store(lost, ordering: .relaxed)
            _ = pin(worker, to: lost)
        }
        places[0].store(Place.home, ordering: .releasing)
    }

    /// One mover at a time.
    private func claim(_ thread: Int) -> Bool {
        places[thread].compareExchange(expected: Place.home, desired: Place.moving, ordering: .acquiring).exchanged
    }

    /// False where the system refuses: then the thread stays where it is, which is only slower.
    private func pin(_ thread: Int, to core: Int) -> Bool {
        do {
            try topology.pin(handles[thread], toCore: core, wholeCore: wholeCore)
            return true
        } catch {
            return false
        }
    }
}
