import Figures
import Schedules

/// A prediction beside what a run recorded: how far off the step's time, each rank's idle share, the actions and the
/// messages are. Recorded figures are medians over the steps.
public struct StepComparison: Sendable {
    /// A predicted and a recorded figure.
    public struct Pair: Sendable {
        public let predicted: Double
        public let recorded: Double

        /// How much larger (positive) or smaller the prediction is, as a share of what was recorded.
        public var error: Double { recorded > 0 ? predicted / recorded - 1 : 0 }
    }

    /// One kind of action at one stage: seconds, the mean over the units.
    public struct Entry: Sendable {
        public let kind: ActionKind
        public let stage: Int
        public let time: Pair
    }

    /// An action that is off by most seconds.
    public struct Worst: Sendable {
        public let action: Action
        public let rank: Int
        /// Seconds of its duration, or of its start since that of the step's first action.
        public let time: Pair
    }

    public let steps: Int
    /// Seconds of the whole step, of its table, and of what lies beside the table.
    public let step: Pair
    public let table: Pair
    public let rest: Pair
    /// Shortest and longest recorded step.
    public let stepRange: ClosedRange<Double>
    /// By rank.
    public let idle: [Pair]
    public let entries: [Entry]
    public let worstDuration: Worst
    public let worstStart: Worst
    /// Seconds a step in which ranks had nothing to do but wait for messages under way, summed over the ranks.
    public let exposed: Pair
    /// Seconds a step that the messages are predicted to be under way, summed over them.
    public let transferTime: Double
    public let messages: Int

    /// - Parameter recorded: one or several whole steps of the simulation's table
    /// - Throws: `SimulationError` if the steps are not of this table.
    public init(_ simulation: Simulation, recorded timeline: Timeline) throws {
        let table = simulation.table
        let recorded = try RecordedSteps(timeline, of: table).steps
        let predicted = try RecordedSteps(simulation.timeline(title: ""), of: table).steps[0]
        func pair(_ figure: (RecordedStep) -> Double) -> Pair {
            Pair(predicted: figure(predicted), recorded: recorded.map(figure).median ?? 0)
        }
        steps = recorded.count
        step = Pair(predicted: simulation.makespan, recorded: recorded.map(\.time).median ?? 0)
        self.table = pair(\.tableTime)
        rest = Pair(
            predicted: simulation.makespan - predicted.tableTime, recorded: recorded.map(\.restTime).median ?? 0)
        let times = recorded.map(\.time)
        stepRange = (times.min() ?? 0)...(times.max() ?? 0)
        let recordedIdle = recorded.map(\.idle)
        idle = simulation.idlePerRank.enumerated().map { rank, idle in
            Pair(predicted: idle, recorded: recordedIdle.map { $0[rank] }.median ?? 0)
        }
        let (predictedStart, recordedStarts) = (predicted.start, recorded.map(\.start))
        var sums: [[Int]: [Pair]] = [:]
        var durations: [Worst] = []
        var starts: [Worst] = []
        for (rank, row) in table.rows.enumerated() {
            for (position, action) in row.enumerated() {
                let duration = pair { $0.actions[rank][position].duration }
                durations.append(Worst(action: action, rank: rank, time: duration))
                let start = Pair(
                    predicted: predicted.actions[rank][position].start - predictedStart,
                    recorded: zip(recorded, recordedStarts).map { $0.actions[rank][position].start - $1 }.median ?? 0)
                starts.append(Worst(action: action, rank: rank, time: start))
                sums[[Int(action.kind.rawValue), action.stage], default: []].append(duration)
            }
        }
        func worst(_ list: [Worst]) -> Worst {
            // A table has at least one action.
            list.max { abs($0.time.predicted - $0.time.recorded) < abs($1.time.predicted - $1.time.recorded) }
                ?? list[0]
        }
        worstDuration = worst(durations)
        worstStart = worst(starts)
        entries = ActionKind.allCases.flatMap { kind in
            (0..<table.shape.stages).compactMap { stage in
                sums[[Int(kind.rawValue), stage]].map { pairs in
                    let mean = Pair(
                        predicted: pairs.map(\.predicted).mean ?? 0, recorded: pairs.map(\.recorded).mean ?? 0)
                    return Entry(kind: kind, stage: stage, time: mean)
                }
            }
        }
        exposed = pair { step in step.messages.reduce(0) { $0 + step.exposed($1) } }
        transferTime = predicted.messages.reduce(0) { $0 + $1.arrow.arrival - $1.arrow.departure }
        messages = predicted.messages.count
    }

    /// Share of the messages' time under way that ranks had something else to do in; nil without messages that take
    /// time.
    public var hidden: Pair? {
        guard transferTime > 0 else { return nil }
        return Pair(
            predicted: 1 - exposed.predicted / transferTime, recorded: max(0, 1 - exposed.recorded / transferTime))
    }
}
