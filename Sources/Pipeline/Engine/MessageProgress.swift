import Hardware

/// Moves a rank's messages on between kernels and while it waits: MPI makes no progress without calls.
final class MessageProgress {
    private let endpoint: any Endpoint
    private let team: Team
    private var sync: GradientSync?
    private var lastAdvance = 0.0
    private static let interval = 50e-6

    /// What went wrong between kernels, where nothing can be thrown.
    private var failure: (any Error)?

    init(_ rank: RankContext) {
        endpoint = rank.endpoint
        team = rank.team
        team.onJoin = { [unowned self] in advance() }
        endpoint.onWait = { [unowned self] in
            try check()
            try sync?.progress()
        }
        endpoint.activity = { [heartbeat = rank.heartbeat] in heartbeat.activity }
    }

    /// From now on the sums of a sync move on, too.
    func serve(_ sync: GradientSync) { self.sync = sync }

    /// Does what can be done now; calls that come too soon return at once. What goes wrong is thrown by `check`.
    func advance() {
        let now = MonotonicClock.seconds
        if now - lastAdvance < Self.interval { return }
        lastAdvance = now
        attempt {
            try endpoint.progress()
            try sync?.progress()
        }
        team.clock?.alone(.communication, since: now)
    }

    /// For hooks that can't throw: the first error is kept.
    func attempt(_ body: () throws -> Void) {
        guard failure == nil else { return }
        do { try body() } catch { failure = error }
    }

    /// - Throws: what went wrong with a message since the last look
    func check() throws {
        if let failure { throw failure }
    }
}
