import Schedules

/// What the actions, messages and ends of recorded steps took.
///
/// Of an action that was seen three times or more (over steps and replicas) the median counts, and the mean over the units of a stage of
/// that, since units differ: the first slice of a sequence attends to less. With fewer steps it is the median over all units.
package struct CostMeasurement: Sendable {
    /// Seconds of each kind of action that the table has, by stage.
    package private(set) var times: [[ActionKind: Double]]
    /// Seconds of a step beside the table.
    package let rest: Double
    /// Seconds that a message is under way; nil if no receiver was there to see one arrive.
    package let transfer: Double?
    /// How many arrivals were seen.
    package let transfers: Int
    /// Steps measured.
    package let steps: Int
    /// Seconds of a step, the median.
    package let stepTime: Double
    /// Shortest and longest step.
    package let stepRange: ClosedRange<Double>
    /// How much longer actions of ranks with cores of their own took than they had a core, as a share: what other programs took
    /// away. Nil where no such rank was measured.
    package let disturbance: Double?

    /// - Parameters:
    ///   - replicas: the steps of each replica
    ///   - sharing: pipeline ranks that share cores with other ranks; their actions count by processor time
    package init(_ replicas: [RecordedSteps], sharing: Set<Int> = []) throws {
        guard let table = replicas.first?.table, replicas.allSatisfy({ !$0.steps.isEmpty }) else {
            throw SimulationError("costs need at least one recorded step after the first of a run, which is a warm-up")
        }
        let all = replicas.flatMap(\.steps)
        var times = [[ActionKind: Double]](repeating: [:], count: table.shape.stages)
        var seen: [ActionStage: [[Double]]] = [:]
        var (wall, processor) = (0.0, 0.0)
        for (rank, row) in table.rows.enumerated() {
            for (position, action) in row.enumerated() {
                let spans = all.map { $0.actions[rank][position] }
                let shares = sharing.contains(rank)
                let durations = try spans.map { span in
                    guard shares else { return span.duration }
                    guard let time = span.processorTime else {
                        throw SimulationError(
                            "rank \(rank) shares cores, so its costs need processor times, which this trace doesn't have"
                        )
                    }
                    return time
                }
                seen[ActionStage(kind: action.kind, stage: action.stage), default: []].append(durations)
                if !shares {
                    for span in spans {
                        guard let time = span.processorTime else { continue }
                        wall += span.duration
                        processor += time
                    }
                }
            }
        }
        for (key, units) in seen {
            let typical = all.count >= 3 ? units.compactMap(\.median).mean : units.flatMap(\.self).median
            times[key.stage][key.kind] = typical
        }
        self.times = times
        rest = all.map(\.restTime).median ?? 0
        let transfers = all.flatMap { step in step.messages.compactMap { step.transferTime($0) } }
        transfer = transfers.median
        self.transfers = transfers.count
        steps = replicas[0].steps.count
        let stepTimes = all.map(\.time)
        stepTime = stepTimes.median ?? 0
        stepRange = (stepTimes.min() ?? 0)...(stepTimes.max() ?? 0)
        disturbance = processor > 0 ? wall / processor - 1 : nil
    }

    private struct ActionStage: Hashable {
        let kind: ActionKind
        let stage: Int
    }

    /// Takes the kinds of action that this one lacks from another measurement of the same stages.
    package mutating func fill(from other: CostMeasurement) {
        precondition(times.count == other.times.count, "both measure the same stages")
        for stage in times.indices { times[stage].merge(other.times[stage]) { own, _ in own } }
    }
}
