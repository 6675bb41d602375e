import CCPU
import Glibc
import Synchronization

/// What the leader and the workers of a team share.
///
/// A round begins when the leader raises `round` and ends when every worker has stored that number as its own: one cache line
/// is read by all and each worker writes a line of its own, so that a join costs one look per worker and no contention.
/// `@unchecked Sendable`: `body` and `isRunning` are written by the leader only while no round is open; workers read `body` only
/// inside a round, and the release and acquire of the round numbers order the two.
final class Crew: @unchecked Sendable {
    private let count: Int
    private let policy: WaitPolicy
    /// Line 0 holds the round, line `w` the last round that worker `w` has finished.
    private let rounds: UnsafeMutablePointer<Atomic<Int>>
    private var body: LentBody?
    private var isRunning = false
    private let isDismissed = Atomic<Bool>(false)
    private let bell = Doorbell()
    private let failure = Mutex<(any Error)?>(nil)

    /// Words from one worker's number to the next: two cache lines, since processors fetch lines in pairs.
    private static let stride = 16

    init(count: Int, policy: WaitPolicy) {
        self.count = count
        self.policy = policy
        rounds = UnsafeMutableRawPointer.allocate(
            byteCount: count * Crew.stride * MemoryLayout<Atomic<Int>>.stride, alignment: 128
        ).bindMemory(to: Atomic<Int>.self, capacity: count * Crew.stride)
        for index in 0..<count * Crew.stride { (rounds + index).initialize(to: Atomic(0)) }
    }

    deinit { rounds.deallocate() }

    /// The leader's side: opens a round, does worker 0's share, and returns when all workers have finished.
    func share(_ work: LentBody) {
        precondition(!isRunning, "a team cannot run inside its own body")
        isRunning = true
        body = work
        let round = rounds.pointee.load(ordering: .relaxed) &+ 1
        rounds.pointee.store(round, ordering: .releasing)
        bell.ring()
        work(0)
        join(round)
        isRunning = false
    }

    /// A worker's life: every round's share until the team is dismissed.
    func work(as worker: Int) {
        var round = 1
        while waitForRound(round) {
            body.unsafelyUnwrapped(worker)  // the leader sets it before it opens a round
            rounds[worker * Crew.stride].store(round, ordering: .releasing)
            round &+= 1
        }
    }

    func dismiss() {
        isDismissed.store(true, ordering: .releasing)
        bell.ring()
    }

    private func join(_ round: Int) {
        for worker in 1..<count {
            let finished = rounds + worker &* Crew.stride
            var backoff = Backoff(policy)
            // The leader never sleeps: the shares are even, so whoever is late is nearly done or needs this core.
            while finished.pointee.load(ordering: .acquiring) != round { _ = backoff.pause() }
        }
    }

    /// False when the team is dismissed.
    private func waitForRound(_ round: Int) -> Bool {
        var backoff = Backoff(policy)
        while true {
            if rounds.pointee.load(ordering: .acquiring) >= round { return true }
            if isDismissed.load(ordering: .acquiring) { return false }
            if !backoff.pause() {
                bell.sleep {
                    rounds.pointee.load(ordering: .acquiring) >= round || isDismissed.load(ordering: .acquiring)
                }
            }
        }
    }
}

// Starting: a team is ready only when every worker is pinned.
extension Crew {
    func report(_ pinned: Result<Void, any Error>, from worker: Int) {
        if case .failure(let error) = pinned { failure.withLock { $0 = $0 ?? error } }
        rounds[worker * Crew.stride].store(Crew.ready, ordering: .releasing)
        bell.ring()
    }

    /// Waits until every worker has reported, and throws the first failure.
    func waitForReports() throws {
        bell.sleep { (1..<count).allSatisfy { rounds[$0 * Crew.stride].load(ordering: .acquiring) == Crew.ready } }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private static let ready = -1
}
