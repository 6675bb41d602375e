/// One way to lay a run over a cluster.
package struct PlanCandidate: Sendable, Hashable {
    package var ranksPerNode: Int
    package var threads: Int
    /// Ranks of a replica.
    package var stages: Int
    /// Stages on a rank.
    package var virtualStages: Int
    package var replicas: Int
    /// Tokens per slice.
    package var slice: Int
    package var schedule: String
    package var recompute: Bool

    package init(
        ranksPerNode: Int, threads: Int, stages: Int, virtualStages: Int, replicas: Int, slice: Int, schedule: String,
        recompute: Bool
    ) {
        self.ranksPerNode = ranksPerNode
        self.threads = threads
        self.stages = stages
        self.virtualStages = virtualStages
        self.replicas = replicas
        self.slice = slice
        self.schedule = schedule
        self.recompute = recompute
    }

    /// Whether the other layout is this one with other slices.
    package func differsBySlice(from other: PlanCandidate) -> Bool {
        var copy = self
        copy.slice = other.slice
        return copy == other && slice != other.slice
    }

    /// The candidate in a few words.
    package var description: String {
        let virtual = virtualStages > 1 ? " x \(virtualStages)" : ""
        return "\(stages)\(virtual) stages x \(replicas) replicas, slices of \(slice), \(schedule)"
            + (recompute ? " with recompute" : "") + ", \(threads) threads a rank"
    }
}

/// What became of a candidate.
package struct PlannedRun: Sendable {
    package enum Outcome: Sendable, Equatable {
        /// The step was simulated in full.
        case simulated
        /// The step's time was found from shorter ones.
        case estimated
        /// It cannot be among the best even without a bubble.
        case boundedOut
        /// A rank would need more memory than it has.
        case tooLarge
        /// Its step has more actions than the planner simulates.
        case tooLong
    }

    package var candidate: PlanCandidate
    package var outcome: Outcome
    /// Seconds of a step; for a candidate that is bounded out a time below which it cannot get.
    package var stepTime = 0.0
    /// Share of the longest rank's span without computing.
    package var bubble = 0.0
    /// Bytes of the rank that needs most.
    package var memory = 0.0
    /// Seconds of gradient sync and of the optimizer on the slowest rank.
    package var syncTime = 0.0
    package var optimizerTime = 0.0
    /// Layers per stage.
    package var layers: [Int] = []
}
