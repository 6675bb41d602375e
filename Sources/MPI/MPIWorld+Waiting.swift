import CMPI
import Glibc
import Hardware

extension MPIWorld {
    /// On a core of its own a rank holds on for long: nobody else needs the core, and a nap delays the message it waits
    /// for.
    private static let ownCore = WaitPolicy(spin: 300e-6, awake: 20e-3)

    /// Polls until `isReady`, which should call MPI, so that MPI moves: spinning, then yielding, then with naps in
    /// between.
    ///
    /// - Parameter onWait: other work to be moved on meanwhile.
    /// - Returns: false when it didn't come true within `seconds`.
    package func poll(
        atMost seconds: Double, onWait: (() throws -> Void)? = nil, until isReady: () throws -> Bool
    ) throws -> Bool {
        var backoff = Backoff(isOversubscribed ? .sharedCore : MPIWorld.ownCore)
        var clock = WaitClock()
        while true {
            if try isReady() { return true }
            try onWait?()
            heartbeat?.beat()
            if backoff.pause() { continue }
            if clock.tick() >= seconds { return false }
            usleep(50)
        }
    }

    /// Waits until `isReady`, which should call MPI; questions of other ranks are answered meanwhile.
    ///
    /// - Parameters:
    ///   - what: names the wait in errors and answers ("F of sequence 1, slice 0: activation from rank 2")
    ///   - peer: the rank that is waited for, if it is one
    /// - Throws: `MPIError.timedOut` when it lasts longer than `patience`, with what all other ranks say;
    ///   `MPIError.stopped` when another rank found that out first.
    package func wait(
        for what: () -> String, peer: Int? = nil, onWait: (() throws -> Void)? = nil, until isReady: () throws -> Bool
    ) throws {
        func answer() -> String { "waits for \(what())" }
        var looks = 0
        let isInTime = try poll(atMost: patience, onWait: onWait) {
            if try isReady() { return true }
            looks += 1
            if looks % 16 == 0 {
                // Looking for letters also moves messages on.
                try failureDetector.attend(self, answer)
                if let verdict = failureDetector.verdict {
                    throw MPIError.stopped(rank: rank, what: what(), by: verdict.from, reason: verdict.text)
                }
            }
            return false
        }
        if isInTime { return }
        let seconds = patience
        let found = try failureDetector.call(self, first: peer, activity: answer)
        throw MPIError.timedOut(rank: rank, what: what(), seconds: seconds, found: found)
    }

    /// Answers other ranks' questions with `activity`, the end of a sentence ("computes F of ..."), and moves messages
    /// on. What another rank found meanwhile is thrown by the next wait.
    package func attend(_ activity: () -> String) throws { try failureDetector.attend(self, activity) }

    /// To be called after a lost peer was reported and before the job is ended: the others report too.
    package func awaitReports() { failureDetector.farewell(self) }

    /// Waits for a collective call. It polls, so that a rank that never comes is noticed.
    func wait(_ request: cmpi_request, for what: String) throws {
        var request = request
        try wait(for: { "all ranks at \(what)\(heartbeat.map { " (it \($0.activity))" } ?? "")" }) {
            var isDone: Int32 = 0
            var status = MPI_Status()
            try check(cmpi_test(&request, &isDone, &status), what)
            return isDone != 0
        }
    }
}
