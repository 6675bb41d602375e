/// A named way to make a table.
public struct ScheduleGenerator: Sendable {
    /// One word, by which it is asked for.
    public let name: String
    /// One line for lists and help texts.
    public let summary: String
    /// Where its stages are if a request leaves it open.
    public let layout: StageLayout
    /// Whether the planner tries it unasked; false for what can't be the best.
    public let isPlanned: Bool
    private let generate: @Sendable (ScheduleRequest) throws -> ScheduleTable

    /// - Parameter generate: makes the rows; `make` validates them
    public init(
        name: String, summary: String, layout: StageLayout = .onePerRank, isPlanned: Bool = true,
        generate: @escaping @Sendable (ScheduleRequest) throws -> ScheduleTable
    ) {
        self.name = name
        self.summary = summary
        self.layout = layout
        self.isPlanned = isPlanned
        self.generate = generate
    }

    /// The validated table for `request`.
    ///
    /// - Throws: `ScheduleError` if the schedule doesn't exist for the request or holds more than its caps allow.
    public func make(_ request: ScheduleRequest) throws -> ScheduleTable {
        let table = try generate(request)
        try table.validate()
        try request.requireCaps(table)
        return table
    }
}
