import CCPU
import Glibc
import Locks
import Synchronization

/// What the leader and the other threads of a team share: rounds of work, whose shares are fixed while whoever is free
/// computes them.
///
/// A round begins when the leader writes its number into `opened`. Each thread begins with the shares of its own seat;
/// the leader then takes over all that nobody has begun, because its thread sleeps or has no core, and waits until all
/// shares are done. So a thread without a core costs nothing unless it loses the core within a share, and then it is
/// moved (`ThreadCores`).
///
/// **Why that has no races.** A seat of n shares counts those begun: up to r * n in round r. A thread that has seen
/// round r takes a share by raising the count from a number below r * n by one, atomically, so every share is taken
/// once. The round can't be over then: the leader ends it when `done` is r * n at every seat, and the share just taken
/// isn't done. Only after taking a share does a thread read `body`, and the leader writes `body` only between the end
/// of a round and the opening of the next one; so nobody reads a body whose round is over, however late he comes: a
/// late thread finds r * n shares or more begun and takes none. The release of `opened` and the acquire of those who
/// see it order the body, and what earlier rounds wrote, before the shares; the releases of `done` and the leader's
/// acquires order the shares before all that follows.
///
/// `@unchecked Sendable`: `body` and `isRunning` as said; seats, order and cores never change; all else is atomic.
final class WorkerPool: @unchecked Sendable {
    let threads: Int
    private let policy: WaitPolicy
    private let cores: ThreadCores
    private let seats: UnsafeMutableRawPointer
    /// The shares, seat by seat.
    private let order: UnsafeMutablePointer<Int>
    /// The newest round, on a line that all threads read and only the leader writes.
    private let opened: UnsafeMutablePointer<Atomic<Int>>
    private var body: LentBody?
    private var isRunning = false
    private let isDismissed = Atomic<Bool>(false)
    /// Wakes the other threads for a round, and the leader for the last share's end.
    private let bell = Doorbell()
    private let leaderBell = Doorbell()
    private let reports = Atomic<Int>(0)
    private let failure = Lock<(any Error)?>(nil)
    /// For tests: called by each thread that has seen a round and not yet taken a share of it.
    private let onSight: (@Sendable (_ thread: Int) -> Void)?

    /// Seconds between two looks of a thread that sleeps while a round is open.
    private static let nap = 200e-6

    /// - Parameter shares: of each thread, the leader's first
    init(
        shares: [[Int]], cores: ThreadCores, policy: WaitPolicy, onSight: (@Sendable (_ thread: Int) -> Void)? = nil
    ) {
        threads = shares.count
        self.policy = policy
        self.cores = cores
        self.onSight = onSight
        precondition(MemoryLayout<Seat>.size <= Seat.stride)
        seats = .allocate(byteCount: (threads + 1) * Seat.stride, alignment: Seat.stride)
        opened = (seats + threads * Seat.stride).bindMemory(to: Atomic<Int>.self, capacity: 1)
        opened.initialize(to: Atomic(Round.none.word))
        order = .allocate(capacity: shares.joined().count)
        var first = 0
        for (thread, own) in shares.enumerated() {
            (seats + thread * Seat.stride).bindMemory(to: Seat.self, capacity: 1)
                .initialize(to: Seat(first: first, count: own.count))
            for share in own {
                (order + first).initialize(to: share)
                first += 1
            }
        }
    }

    deinit {
        seats.deallocate()
        order.deallocate()
    }

    @inline(__always)
    private func seat(_ thread: Int) -> UnsafeMutablePointer<Seat> {
        (seats + thread &* Seat.stride).assumingMemoryBound(to: Seat.self)
    }

    /// The leader's side: opens a round, computes its share and those that nobody has begun, and returns when all are
    /// done.
    ///
    /// - Parameter inPlace: each share is for its own thread and core
    func share(_ work: LentBody, inPlace: Bool) {
        precondition(!isRunning, "a team cannot run inside its own body")
        isRunning = true
        body = work
        let round = Round(Round(word: opened.pointee.load(ordering: .relaxed)).number &+ 1, inPlace: inPlace)
        seat(0).pointee.isBusy.store(true, ordering: .relaxed)
        opened.pointee.store(round.word, ordering: .releasing)
        bell.ring()
        computeShares(of: 0, round)
        if !inPlace { takeOver(round) }
        seat(0).pointee.isBusy.store(false, ordering: .relaxed)
        join(round)
        isRunning = false
    }

    /// Another thread's life: its shares of every round that it comes in time for, until the team is dismissed.
    func work(as thread: Int) {
        var seen = Round.none
        while let round = waitForRound(after: seen, as: thread) {
            onSight?(thread)
            seat(thread).pointee.isBusy.store(true, ordering: .relaxed)
            computeShares(of: thread, round)
            seat(thread).pointee.isBusy.store(false, ordering: .relaxed)
            seen = round
        }
    }

    func dismiss() {
        isDismissed.store(true, ordering: .releasing)
        bell.ring()
    }

    // MARK: Starting

    /// A team is ready only when every thread is pinned.
    func report(_ pinned: Result<Void, any Error>) {
        if case .failure(let error) = pinned { failure.withLock { $0 = $0 ?? error } }
        reports.add(1, ordering: .releasing)
        leaderBell.ring()
    }

    /// Waits until every other thread has reported, and throws the first failure.
    func waitForReports() throws {
        leaderBell.sleep { reports.load(ordering: .acquiring) == threads - 1 }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    // MARK: Shares

    /// Computes what nobody has begun of a seat's shares.
    @inline(__always)
    private func computeShares(of owner: Int, _ round: Round) {
        let seat = seat(owner)
        let end = round.number &* seat.pointee.count
        var begun = seat.pointee.begun.load(ordering: .relaxed)
        while begun < end {
            let (isTaken, found) = seat.pointee.begun.compareExchange(
                expected: begun, desired: begun &+ 1, ordering: .acquiring)
            guard isTaken else {
                begun = found
                continue
            }
            // The leader sets the body before it opens a round, and keeps it until this share is done.
            body.unsafelyUnwrapped(order[seat.pointee.first &+ seat.pointee.count &- (end &- begun)])
            seat.pointee.done.add(1, ordering: .acquiringAndReleasing)
            leaderBell.ring()
            begun &+= 1
        }
    }

    /// Computes what nobody has begun of all shares.
    private func takeOver(_ round: Round) {
        for owner in 0..<threads { computeShares(of: owner, round) }
    }

    // MARK: Waiting

    @inline(__always)
    private func isDone(_ owner: Int, _ round: Round) -> Bool {
        seat(owner).pointee.done.load(ordering: .acquiring) >= round.number &* seat(owner).pointee.count
    }

    private func join(_ round: Round) {
        for owner in 0..<threads where !isDone(owner, round) {
            var backoff = Backoff(policy)
            var watch = AbsenceWatch()
            var looks = 0
            repeat {
                looks &+= 1
                let isAwake = backoff.pause()
                if !isAwake { leaderBell.sleep(atMost: Self.nap) { isDone(owner, round) } }
                if !isAwake || looks & 63 == 0, !round.isInPlace { fetchAbsent(&watch, until: owner, round) }
            } while !isDone(owner, round)
        }
    }

    /// Brings a thread that has lost its core within a share to the leader's, and leaves it to that one.
    private func fetchAbsent(_ watch: inout AbsenceWatch, until owner: Int, _ round: Round) {
        let now = MonotonicClock.seconds
        guard watch.isDue(now) else { return }
        if let absent = watch.absent(now, isBusy: isBusy, seconds: cores.seconds) {
            cores.bring(absent)
            leaderBell.sleep(atMost: 10 * Self.nap) { !cores.isAway(absent) || isDone(owner, round) }
        }
        watch.look(at: 1..<threads, MonotonicClock.seconds, isBusy: isBusy, seconds: cores.seconds)
    }

    private func isBusy(_ thread: Int) -> Bool { seat(thread).pointee.isBusy.load(ordering: .relaxed) }

    /// Nil when the team is dismissed.
    private func waitForRound(after seen: Round, as thread: Int) -> Round? {
        var backoff = Backoff(policy)
        var watch = AbsenceWatch()
        var looks = 0
        func isCalled() -> Bool {
            opened.pointee.load(ordering: .acquiring) != seen.word || isDismissed.load(ordering: .acquiring)
        }
        while true {
            let round = Round(word: opened.pointee.load(ordering: .acquiring))
            if cores.returnHome(thread) { leaderBell.ring() }
            if round.word != seen.word { return round }
            if isDismissed.load(ordering: .acquiring) { return nil }
            looks &+= 1
            let isAwake = backoff.pause()
            // Now and then, so that the leader keeps its cache line.
            guard !isAwake || looks & 63 == 0 else { continue }
            // While the leader still computes the round isn't over, and it may be the leader who has lost his core.
            let isLeaderBusy = isBusy(0)
            if !isAwake { bell.sleep(atMost: isLeaderBusy ? Self.nap : .infinity, until: isCalled) }
            if isLeaderBusy { help(&watch, seen, as: thread) }
        }
    }

    /// What an idle thread can do for a round that lasts: compute what nobody has begun, give its core to the leader.
    private func help(_ watch: inout AbsenceWatch, _ round: Round, as thread: Int) {
        let now = MonotonicClock.seconds
        guard !round.isInPlace, watch.isDue(now) else { return }
        if watch.absent(now, isBusy: isBusy, seconds: cores.seconds) != nil { cores.giveCoreToLeader(from: thread) }
        watch.look(at: 0..<1, MonotonicClock.seconds, isBusy: isBusy, seconds: cores.seconds)
        seat(thread).pointee.isBusy.store(true, ordering: .relaxed)
        takeOver(round)
        seat(thread).pointee.isBusy.store(false, ordering: .relaxed)
    }
}
