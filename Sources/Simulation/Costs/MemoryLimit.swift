import Schedules

/// What a held unit weighs and how much each rank may hold, in whatever measure the user chose: units or bytes.
public struct MemoryLimit: Sendable, Equatable {
    /// Per stage the weight of a unit from its forward to its input gradient.
    public var unit: [Double]
    /// Per stage the weight of what its weight gradient still needs after the input gradient.
    public var afterInput: [Double]
    /// Per rank the most it may hold; infinite if memory doesn't matter.
    public var caps: [Double]

    /// Weights by stage, caps by rank.
    public init(unit: [Double], afterInput: [Double], caps: [Double]) {
        self.unit = unit
        self.afterInput = afterInput
        self.caps = caps
    }

    /// A cap counted in units: one from its forward to its input gradient, the stage's `heldShare` from there to its
    /// weight gradient.
    ///
    /// - Parameter units: the cap of every rank in units of a rank's layers: with two stages a rank a stage's unit
    ///   counts half
    public init(shape: ScheduleShape, costs: Costs, units: Double = .infinity) {
        let weights = (0..<shape.stages).map { 1 / Double(shape.stages(on: shape.rank(of: $0)).count) }
        self.init(
            unit: weights, afterInput: zip(weights, costs.stages).map { $0 * $1.heldShare },
            caps: [Double](repeating: units, count: shape.ranks))
    }

    /// The most that each rank holds when it runs its row of `table`.
    public func peaks(_ table: ScheduleTable) -> [Double] {
        table.rows.map { row in
            var held = 0.0
            var peak = 0.0
            for action in row {
                held += change(before: action)
                peak = max(peak, held)
                held += change(after: action)
            }
            return peak
        }
    }

    /// What an action takes when it starts.
    public func change(before action: Action) -> Double { action.kind == .forward ? unit[action.stage] : 0 }

    /// What an action gives back when it ends, as a negative number.
    public func change(after action: Action) -> Double {
        switch action.kind {
        case .forward, .recompute: 0
        case .backward: -unit[action.stage]
        case .backwardInput: afterInput[action.stage] - unit[action.stage]
        case .backwardWeight: -afterInput[action.stage]
        }
    }

    /// Sums of weights carry rounding; a cap counts as kept within this share of it.
    static let tolerance = 1e-9

    /// Whether a rank that holds `held` may start a forward of `stage`.
    func allows(_ stage: Int, on rank: Int, holding held: Double) -> Bool {
        held + unit[stage] <= caps[rank] * (1 + Self.tolerance)
    }

    /// Whether every rank stays within its cap.
    public func allows(_ table: ScheduleTable) -> Bool {
        zip(peaks(table), caps).allSatisfy { $0 <= $1 * (1 + Self.tolerance) }
    }
}
