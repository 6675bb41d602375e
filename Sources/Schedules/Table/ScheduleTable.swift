/// A schedule: for each rank the row of actions that it runs, in order. The validator, the simulator, the drawings and
/// the runtime all take this very value.
public struct ScheduleTable: Sendable, Equatable {
    /// The schedule's name, for people: one word.
    public let name: String
    /// Ranks, units and where stages are.
    public let shape: ScheduleShape
    /// One row of actions per rank.
    public let rows: [[Action]]

    /// A table as it is, not yet validated.
    public init(name: String, shape: ScheduleShape, rows: [[Action]]) {
        precondition(rows.count == shape.ranks, "a table has one row per rank")
        precondition(
            !name.isEmpty && !name.contains { $0.isWhitespace || $0 == "#" }, "a schedule's name is one word: '\(name)'"
        )
        self.name = name
        self.shape = shape
        self.rows = rows
    }

    /// Actions of all rows.
    public var actionCount: Int { rows.reduce(0) { $0 + $1.count } }

    /// Whether some unit's activations are computed again for its backward.
    public var usesRecompute: Bool { rows.contains { $0.contains { $0.kind == .recompute } } }

    /// Whether weight gradients are actions of their own.
    public var splitsWeightGradients: Bool { rows.contains { $0.contains { $0.kind == .backwardWeight } } }

    /// The same table under another name or with other rows.
    public func with(name: String? = nil, rows: [[Action]]) -> ScheduleTable {
        ScheduleTable(name: name ?? self.name, shape: shape, rows: rows)
    }
}
