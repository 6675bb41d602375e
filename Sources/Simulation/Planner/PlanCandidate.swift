/// One way to lay a run over a cluster.
public struct PlanCandidate: Sendable, Hashable {
    public var ranksPerNode: Int
    public var threads: Int
    /// Ranks of a replica.
    public var stages: Int
    /// Stages on a rank.
    public var virtualStages: Int
    public var replicas: Int
    /// Tokens per slice.
    public var slice: Int
    public var schedule: String
    public var recompute: Bool

    public init(
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
    public func differsBySlice(from other: PlanCandidate) -> Bool {
        var copy = self
        copy.slice = other.slice
        return copy == other && slice != other.slice
    }

    /// The candidate in a few words.
    public var description: String {
        let virtual = virtualStages > 1 ? " x \(virtualStages)" : ""
        return "\(stages)\(virtual) stages x \(replicas) replicas, slices of \(slice), \(schedule)"
            + (recompute ? " with recompute" : "") + ", \(threads) threads a rank"
    }
}

/// What became of a candidate.
public struct PlannedRun: Sendable {
    public enum Outcome: Sendable, Equatable {
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

    public var candidate: PlanCandidate
    public var outcome: Outcome
    /// Seconds of a step; for a candidate that is bounded out a time below which it cannot get.
    public var stepTime = 0.0
    /// Share of the longest rank's span without computing.
    public var bubble = 0.0
    /// Bytes of the rank that needs most.
    public var memory = 0.0
    /// Seconds of gradient sync and of the optimizer on the slowest rank.
    public var syncTime = 0.0
    public var optimizerTime = 0.0
    /// Layers per stage.
    public var layers: [Int] = []
}
