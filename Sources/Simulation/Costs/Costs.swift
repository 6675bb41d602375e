import Figures
import Schedules

/// What a step costs: time and memory per stage, bytes per message, how fast each rank is.
public struct Costs: Sendable, Equatable {
    /// One entry per stage.
    public var stages: [StageCosts]
    /// Bytes of an activation, and of the gradient that answers it, across the boundary after each stage.
    public var messageBytes: [Int]
    /// Factor on every duration of a rank; 1.4 for a rank that is 40 % slower than the others.
    public var slowness: [Double]
    /// Seconds that each rank spends on gradient sync and optimizer after its last action.
    public var closing: [Double]
    /// Ranks that share cores; a rank that is in none has its own.
    public var sharedCores: [SharedCores] = []
    /// Of a sequence.
    private let slices: Int

    /// - Throws: `SimulationError` if the numbers don't fit `shape`.
    public init(
        shape: ScheduleShape, stages: [StageCosts], messageBytes: [Int]? = nil, slowness: [Double]? = nil,
        closing: [Double]? = nil
    ) throws {
        func fit<T>(_ values: [T]?, _ count: Int, _ what: String, default value: T) throws -> [T] {
            guard let values else { return [T](repeating: value, count: count) }
            if values.count == count { return values }
            guard values.count == 1 else {
                throw SimulationError("expected \(count) \(what) (or one for all), found \(values.count)")
            }
            return [T](repeating: values[0], count: count)
        }
        slices = shape.slices
        self.stages = try fit(
            stages, shape.stages, "stages with costs",
            default: StageCosts(forward: 0, backwardInput: 0, backwardWeight: 0))
        self.messageBytes = try fit(messageBytes, shape.stages - 1, "message sizes", default: 0)
        self.slowness = try fit(slowness, shape.ranks, "factors of slowness", default: 1)
        self.closing = try fit(closing, shape.ranks, "closing times", default: 0)
        for (stage, costs) in self.stages.enumerated() {
            for kind in ActionKind.allCases where !(costs.duration(kind) >= 0 && costs.duration(kind) < .infinity) {
                throw SimulationError(
                    "expected a time of at least 0 for \(kind.title) at stage \(stage), found \(costs.duration(kind))")
            }
        }
        try checkBytes(shape)
        if let rank = self.slowness.firstIndex(where: { !($0 > 0 && $0 < .infinity) }) {
            throw SimulationError("expected a slowness above 0 for rank \(rank), found \(self.slowness[rank])")
        }
    }

    /// Refuses bytes whose sums over a step would be too large for a number.
    private func checkBytes(_ shape: ScheduleShape) throws {
        let units = Double(shape.units)
        let held = stages.reduce(0.0) {
            $0 + Double($1.residentBytes) + 2 * Double(shape.sequences) * Double($1.sequenceBytes) + units
                * Double(max($1.unitBytes, $1.weightUnitBytes, $1.lightBytes))
        }
        let sent = messageBytes.reduce(0.0) { $0 + 2 * units * Double($1) }
        for (what, bytes) in [("held", held), ("sent", sent)] where bytes >= 4e18 {
            throw SimulationError(
                """
                the bytes \(what) in a step come to \(bytes.significant), more than can be counted: give fewer or \
                smaller units
                """
            )
        }
    }

    /// Seconds that a kind of action takes at a stage, the mean of a sequence's slices.
    public func meanDuration(_ kind: ActionKind, at stage: Int, on rank: Int) -> Double {
        stages[stage].duration(kind) * slowness[rank]
    }

    /// Seconds that `action` takes on `rank`.
    public func duration(_ action: Action, on rank: Int) -> Double {
        stages[action.stage].duration(action.kind, slice: action.slice, of: slices) * slowness[rank]
    }
}
