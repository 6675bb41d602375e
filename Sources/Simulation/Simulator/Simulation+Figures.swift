import Schedules

extension Simulation {
    /// Seconds from the start of the step to the last end.
    public var makespan: Double {
        zip(ends, costs.closing).reduce(0) { max($0, ($1.0.last ?? 0) + $1.1) }
    }

    /// Seconds that each rank computes.
    public var busy: [Double] {
        zip(starts, ends).map { starts, ends in zip(starts, ends).reduce(0) { $0 + ($1.1 - $1.0) } }
    }

    /// Seconds from each rank's first start to its last end.
    public var spans: [Double] {
        zip(starts, ends).map { starts, ends in (ends.last ?? 0) - (starts.first ?? 0) }
    }

    /// The longest span of a rank. Steps that follow each other without a barrier take this long each, which is why the
    /// literature (arXiv 2401.10241) measures bubbles by it; with a barrier between steps the makespan counts.
    public var cost: Double { spans.max() ?? 0 }

    /// Per rank the share of `cost` in which it doesn't compute.
    public var bubblePerRank: [Double] {
        let cost = cost
        return busy.map { cost > 0 ? 1 - $0 / cost : 0 }
    }

    /// The mean of `bubblePerRank`; for equal stages (cost - M(F+B+W))/cost.
    public var bubble: Double { bubblePerRank.reduce(0, +) / Double(table.shape.ranks) }

    /// The mean of `idlePerRank`.
    public var idle: Double { idlePerRank.reduce(0, +) / Double(table.shape.ranks) }

    /// Per rank the share of the makespan in which it doesn't compute: what a trainer with a barrier per step sees.
    public var idlePerRank: [Double] {
        let makespan = makespan
        return busy.map { makespan > 0 ? 1 - $0 / makespan : 0 }
    }
}
