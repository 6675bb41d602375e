import Schedules

/// A timeline of one replica cut into its steps.
public struct RecordedSteps: Sendable {
    public let table: ScheduleTable
    public private(set) var steps: [RecordedStep]

    /// - Throws: `SimulationError` if the timeline doesn't hold whole steps of `table`.
    public init(_ timeline: Timeline, of table: ScheduleTable) throws {
        self.table = table
        guard timeline.ranks == table.shape.ranks else {
            throw SimulationError(
                "the trace has \(timeline.ranks) ranks, but the schedule has \(table.shape.ranks); "
                    + "a trace of several replicas has to be cut to one")
        }
        steps = []
        var byRank = [[Timeline.Span]](repeating: [], count: timeline.ranks)
        for span in timeline.spans where span.lane == 0 { byRank[span.rank].append(span) }
        for (rank, spans) in byRank.enumerated() { try add(spans.sorted { $0.start < $1.start }, of: rank) }
        guard !steps.isEmpty else { throw SimulationError("the trace holds no step: it has no action") }
        add(timeline.arrows)
    }

    /// Deals one rank's spans to the steps: a step begins with its phase of that name or with the row's first action.
    private mutating func add(_ spans: [Timeline.Span], of rank: Int) throws {
        let row = table.rows[rank]
        var step = -1
        var position = row.count
        func fault(_ found: String) -> SimulationError {
            let expected =
                row.indices.contains(position) && step >= 0
                ? "\(row[position])" : row.first.map { "\($0)" } ?? "nothing"
            return SimulationError(
                "the trace doesn't hold whole steps of this schedule: rank \(rank), step \(max(0, step)) of the trace: "
                    + "expected \(expected), found \(found)")
        }
        var begin: Timeline.Span?
        for span in spans {
            switch span.content {
            case .action(let action):
                if position == row.count {
                    position = 0
                    step += 1
                    if rank == 0 {
                        steps.append(
                            RecordedStep(
                                actions: [[Timeline.Span]](repeating: [], count: table.shape.ranks),
                                phases: [[Timeline.Span]](repeating: [], count: table.shape.ranks)))
                    }
                    guard steps.indices.contains(step) else { throw fault("one more step than on rank 0") }
                    if let begin { steps[step].phases[rank].append(begin) }
                    begin = nil
                }
                guard row.indices.contains(position), row[position] == action else { throw fault("\(action)") }
                steps[step].actions[rank].append(span)
                position += 1
            case .label(StepPhase.begin.rawValue): begin = span
            case .label(let label):
                // Anything else, such as an evaluation, lies between steps.
                guard StepPhase(rawValue: label) != nil, step >= 0 else { continue }
                guard position == row.count else { throw fault("\(label)") }
                steps[step].phases[rank].append(span)
            }
        }
        guard position == row.count else { throw fault("the end of the trace") }
        guard rank == 0 || step == steps.count - 1 else { throw fault("\(step + 1) steps, rank 0 has \(steps.count)") }
    }

    /// Deals the messages to the steps: what an action sends the n-th time belongs to the n-th step.
    private mutating func add(_ arrows: [Timeline.Arrow]) {
        var positions: [Action: Int] = [:]
        for row in table.rows {
            for (position, action) in row.enumerated() { positions[action] = position }
        }
        var counts: [Action: Int] = [:]
        for arrow in arrows.sorted(by: { $0.departure < $1.departure }) {
            guard let sender = arrow.action else { continue }
            let step = counts[sender, default: 0]
            counts[sender] = step + 1
            let stage = sender.kind == .forward ? sender.stage + 1 : sender.stage - 1
            let kinds: [ActionKind] = sender.kind == .forward ? [.forward] : [.backward, .backwardInput]
            let position = kinds.lazy.compactMap {
                positions[Action($0, stage: stage, sequence: sender.sequence, slice: sender.slice)]
            }.first
            guard let position, steps.indices.contains(step) else { continue }
            steps[step].messages.append(RecordedStep.Delivery(arrow: arrow, position: position))
        }
    }

    /// The steps without the first ones.
    public func dropping(first count: Int) -> RecordedSteps {
        var rest = self
        rest.steps = Array(steps.dropFirst(count))
        return rest
    }
}
