import Schedules

/// A prediction beside what a run recorded: how far off the step's time, each rank's idle share and the actions are.
package struct StepComparison: Sendable {
    /// One kind of action at one stage.
    package struct Entry: Sendable {
        package let kind: ActionKind
        package let stage: Int
        /// Seconds, the mean over all such actions.
        package let predicted: Double
        package let recorded: Double
    }

    package let predictedTime: Double
    /// Seconds of a step, the mean over the recorded steps.
    package let recordedTime: Double
    package let steps: Int
    package let predictedIdle: [Double]
    package let recordedIdle: [Double]
    package let entries: [Entry]
    /// The action whose mean time is off by most seconds, with both.
    package let worst: (action: Action, rank: Int, predicted: Double, recorded: Double)?

    /// - Parameter recorded: one or several whole steps of the simulation's table
    /// - Throws: `SimulationError` if the steps are not of this table.
    package init(_ simulation: Simulation, recorded: Timeline) throws {
        let table = simulation.table
        guard recorded.ranks == table.shape.ranks else {
            throw SimulationError(
                "the trace has \(recorded.ranks) ranks, but the schedule has \(table.shape.ranks); "
                    + "a trace of several replicas has to be cut to one")
        }
        var occurrences = [[Action: [Timeline.Span]]](repeating: [:], count: recorded.ranks)
        for span in recorded.spans.sorted(by: { $0.start < $1.start }) {
            if case .action(let action) = span.content { occurrences[span.rank][action, default: []].append(span) }
        }
        let steps = occurrences.flatMap(\.values).map(\.count).max() ?? 0
        self.steps = steps
        for (rank, row) in table.rows.enumerated() {
            for action in row where occurrences[rank][action]?.count != steps || steps == 0 {
                throw SimulationError(
                    "the trace doesn't hold whole steps of this schedule: \(action) of rank \(rank) occurs "
                        + "\(occurrences[rank][action]?.count ?? 0) times, others \(steps) times")
            }
        }
        let spans = recorded.spans.filter { $0.lane == 0 }
        var starts = [Double](repeating: .infinity, count: steps)
        for actions in occurrences {
            for list in actions.values {
                for (step, span) in list.enumerated() { starts[step] = min(starts[step], span.start) }
            }
        }
        var time = 0.0
        var busy = [Double](repeating: 0, count: recorded.ranks)
        for step in 0..<steps {
            let next = step + 1 < steps ? starts[step + 1] : .infinity
            let inside = spans.filter { $0.start >= starts[step] && $0.start < next && Self.belongsToStep($0) }
            time += (inside.reduce(0) { max($0, $1.end) } - starts[step]) / Double(steps)
            for span in inside {
                if case .action = span.content { busy[span.rank] += span.duration / Double(steps) }
            }
        }
        let recordedTime = time
        predictedTime = simulation.makespan
        self.recordedTime = recordedTime
        predictedIdle = simulation.idlePerRank
        recordedIdle = busy.map { recordedTime > 0 ? 1 - $0 / recordedTime : 0 }
        var sums: [[Int]: (predicted: Double, recorded: Double, count: Double)] = [:]
        var worst: (action: Action, rank: Int, predicted: Double, recorded: Double)?
        for (rank, row) in table.rows.enumerated() {
            for (position, action) in row.enumerated() {
                let predicted = simulation.ends[rank][position] - simulation.starts[rank][position]
                let list = occurrences[rank][action] ?? []
                let recorded = list.reduce(0) { $0 + $1.duration } / Double(steps)
                let key = [Int(action.kind.rawValue), action.stage]
                let sum = sums[key] ?? (0, 0, 0)
                sums[key] = (sum.predicted + predicted, sum.recorded + recorded, sum.count + 1)
                if worst.map({ abs(recorded - predicted) > abs($0.recorded - $0.predicted) }) ?? true {
                    worst = (action, rank, predicted, recorded)
                }
            }
        }
        self.worst = worst
        entries = ActionKind.allCases.flatMap { kind in
            (0..<table.shape.stages).compactMap { stage in
                sums[[Int(kind.rawValue), stage]].map {
                    Entry(
                        kind: kind, stage: stage, predicted: $0.predicted / $0.count, recorded: $0.recorded / $0.count)
                }
            }
        }
    }

    /// Evaluation lies between steps, not in them.
    private static func belongsToStep(_ span: Timeline.Span) -> Bool {
        switch span.content {
        case .action: true
        case .label(let label): label != "evaluate"
        }
    }

    /// How much longer (positive) or shorter the prediction is, as a share of the recorded time.
    package var timeError: Double { recordedTime > 0 ? predictedTime / recordedTime - 1 : 0 }

    package var text: String {
        var text = "step: predicted \(predictedTime.asTime), recorded \(recordedTime.asTime) "
        text += "(mean of \(steps)), error \(timeError >= 0 ? "+" : "")\(timeError.asPercentage)\n\n"
        var ranks = TextTable(["rank", "idle predicted", "recorded", "difference"])
        for (rank, (predicted, recorded)) in zip(predictedIdle, recordedIdle).enumerated() {
            ranks.add([
                "\(rank)", predicted.asPercentage, recorded.asPercentage, (predicted - recorded).asPercentage,
            ])
        }
        text += ranks.text + "\n"
        var actions = TextTable(["action", "stage", "predicted", "recorded", "error"])
        for entry in entries {
            let error = entry.recorded > 0 ? (entry.predicted / entry.recorded - 1).asPercentage : "-"
            actions.add([
                entry.kind.title, "\(entry.stage)", entry.predicted.asTime, entry.recorded.asTime, error,
            ])
        }
        text += actions.text
        if let worst {
            text += "\nworst action: \(worst.action) of rank \(worst.rank), predicted \(worst.predicted.asTime), "
            text += "recorded \(worst.recorded.asTime)\n"
        }
        return text
    }

    package var json: String {
        JSONText.object([
            ("time_unit", .string("ms")), ("predicted", .number(predictedTime * 1e3)),
            ("recorded", .number(recordedTime * 1e3)), ("steps", .number(Double(steps))),
            ("error", .number(timeError)), ("idle_predicted", .numbers(predictedIdle)),
            ("idle_recorded", .numbers(recordedIdle)),
            ("worst_action", worst.map { .string("\($0.action)") } ?? .null),
        ]).text + "\n"
    }
}
