import CMPI
import Glibc
import Hardware

extension MPIWorld {
    /// On a core of its own a rank holds on for long: nobody else needs the core, and a nap delays the message it waits for.
    private static let ownCore = WaitPolicy(spin: 300e-6, awake: 20e-3)

    /// Polls until `isReady`, which should call MPI, so that MPI moves: spinning, then yielding, then with naps in between.
    ///
    /// - Parameter onWait: other work to be moved on meanwhile.
    /// - Returns: false when it didn't come true within `seconds`.
    package func poll(
        atMost seconds: Double, onWait: (() throws -> Void)? = nil, until isReady: () throws -> Bool
    ) throws -> Bool {
        var backoff = Backoff(isOversubscribed ? .sharedCore : MPIWorld.ownCore)
        var deadline: Double?
        while true {
            if try isReady() { return true }
            try onWait?()
            if backoff.pause() { continue }
            let now = MonotonicClock.seconds
            let end = deadline ?? now + seconds
            deadline = end
            if now >= end { return false }
            usleep(50)
        }
    }

    /// Waits for a collective call. It polls, so that a rank that never comes is noticed.
    func wait(_ request: MPI_Request?, for what: String) throws {
        var request = request
        let isComplete = try poll(atMost: patience) {
            var isDone: Int32 = 0
            try check(MPI_Test(&request, &isDone, nil), what)
            return isDone != 0
        }
        if !isComplete { throw MPIError.timedOut(rank: rank, what: "all ranks at \(what)", seconds: patience) }
    }
}
