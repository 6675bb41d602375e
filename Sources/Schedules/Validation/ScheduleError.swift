/// A schedule that cannot be: a malformed file, an impossible shape, or a table that breaks a rule.
public struct ScheduleError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with a table or a request.
    public enum Fault: Equatable, Sendable {
        /// Numbers of ranks, stages, sequences or slices that don't go together.
        case shape
        /// The text form is malformed.
        case text(line: Int, column: Int)
        /// The schedule doesn't exist or cannot be made for this shape.
        case unsupported
        /// A unit's action is nowhere in the table.
        case missing
        /// An action stands in the table twice.
        case doubled
        /// An action stands on a rank that doesn't hold its stage.
        case wrongRank
        /// A unit has a fused backward and a separate input or weight gradient.
        case mixedBackward
        /// Gradients of a stage would be summed in another order than in every other schedule.
        case summationOrder
        /// An action stands before something that it needs on the same rank.
        case dependency
        /// Ranks wait for each other in a circle.
        case deadlock
    }

    /// What is wrong.
    public let fault: Fault
    /// Where in the table, if the fault has a place there.
    public let rank: Int?
    /// The place within the row, if there is one.
    public let position: Int?
    /// The action, if there is one.
    public let action: Action?
    /// What was expected, what was found, what to do, without the picture of the rows.
    public let message: String
    /// The rows around the failing cell; empty if the fault has no place in a table.
    public let excerpt: String

    /// With the rank, the place in its row and the actions around it.
    public var description: String {
        var text = ""
        if case .text(let line, let column) = fault { text += "line \(line), column \(column): " }
        if let rank, let position { text += "rank \(rank), position \(position): " }
        text += message
        if !excerpt.isEmpty { text += "\n" + excerpt }
        return text
    }

    static func shape(_ message: String) -> ScheduleError {
        ScheduleError(fault: .shape, rank: nil, position: nil, action: nil, message: message, excerpt: "")
    }

    /// For what a schedule is not made for.
    public static func unsupported(_ message: String) -> ScheduleError {
        ScheduleError(fault: .unsupported, rank: nil, position: nil, action: nil, message: message, excerpt: "")
    }

    static func text(_ message: String, line: Int, column: Int) -> ScheduleError {
        ScheduleError(
            fault: .text(line: line, column: column), rank: nil, position: nil, action: nil, message: message,
            excerpt: "")
    }

    /// A fault at a cell of `table`; `position` may be one past the row's end, where something is missing.
    static func cell(
        _ fault: Fault, in table: ScheduleTable, rank: Int, position: Int, action: Action?, _ message: String
    ) -> ScheduleError {
        ScheduleError(
            fault: fault, rank: rank, position: position, action: action, message: message,
            excerpt: TableExcerpt(table: table, rank: rank, position: position).text)
    }
}
