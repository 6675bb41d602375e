/// What a test may do to a rank in a step, to show that the run survives it.
package enum Disturbance: Sendable {
    /// One of its gradients becomes not a number.
    case poison
    /// Its thread never comes back.
    case hang
}

/// What a step came to; the same on every rank but for the timeline, which rank 0 has.
package struct StepReport: Sendable {
    /// Mean loss of the counted targets in nats, over all replicas.
    package var loss = 0.0
    /// Whether any target counted. Without one there is no loss (NaN) and no update.
    package var hasTargets = true
    /// Global gradient norm before clipping.
    package var gradientNorm = 0.0
    /// The update was left out because the gradient isn't finite.
    package var skipped = false
    /// Wall seconds, the longest of all ranks.
    package var seconds = 0.0
    /// Share of the ranks' time spent waiting for messages or the disk in the schedule.
    package var idleShare = 0.0
    /// What each rank told the others.
    package var numbers: RankNumbers

    /// Idle share of each rank.
    package var idleShares: [Double] { numbers.ranks.map(numbers.idleShare) }
    /// Of each rank, the share of the sums over replicas that it forms which was done before its last gradients were
    /// complete; 0 with one replica.
    package var earlySums: [Double] { numbers.ranks.map(numbers.earlySum) }
    /// The most bytes that each rank's process has held so far.
    package var peakMemory: [Int] { numbers.ranks.map(numbers.peakMemory) }
    /// What each rank had to tell the others, by world rank.
    package var notes: [[Double]] { numbers.ranks.map { Array(numbers.notes(of: $0)) } }
}
