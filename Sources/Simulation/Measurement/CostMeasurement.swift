import Figures
import Schedules

/// What the actions, messages and ends of recorded steps took.
///
/// Of an action that was seen three times or more (over steps and replicas) the median counts, and the mean over the
/// units of a stage of that, since units differ: the first slice of a sequence attends to less. With fewer steps it is
/// the median over all units.
public struct CostMeasurement: Sendable {
    /// Seconds of each kind of action that the table has, by stage.
    public private(set) var times: [[ActionKind: Double]]
    /// Seconds of a step beside the table.
    public let rest: Double
    /// Seconds that a message is under way; nil if no receiver was there to see one arrive.
    public let transfer: Double?
    /// How many arrivals were seen.
    public let transfers: Int
    /// Steps measured.
    public let steps: Int
    /// Seconds of a step, the median.
    public let stepTime: Double
    /// Shortest and longest step.
    public let stepRange: ClosedRange<Double>
    /// How much longer actions of ranks with cores of their own took than they had a core, as a share: what other
    /// programs took away. Nil where no such rank was measured.
    public let disturbance: Double?
    /// The groups of ranks that share cores, with what is left of their cores once waiting ranks and switching took
    /// their part.
    public let sharedCores: [SharedCores]

    /// - Parameters:
    ///   - replicas: the steps of each replica
    ///   - sharedCores: groups of pipeline ranks that share cores; their actions count by processor time
    public init(_ replicas: [RecordedSteps], sharedCores: [SharedCores] = []) throws {
        guard let table = replicas.first?.table, replicas.allSatisfy({ !$0.steps.isEmpty }) else {
            throw SimulationError("costs need at least one recorded step after the first of a run, which is a warm-up")
        }
        let all = replicas.flatMap(\.steps)
        let sharing = Set(sharedCores.flatMap(\.ranks))
        var times = [[ActionKind: Double]](repeating: [:], count: table.shape.stages)
        var seen: [ActionStage: [[Double]]] = [:]
        var (wall, processor) = (0.0, 0.0)
        for (rank, row) in table.rows.enumerated() {
            for (position, action) in row.enumerated() {
                let spans = all.map { $0.actions[rank][position] }
                let shares = sharing.contains(rank)
                let durations = try spans.map { shares ? try $0.requiredProcessorTime : $0.duration }
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
        self.sharedCores = try sharedCores.map { group in
            let efficiency = try all.map { try $0.efficiency(of: group) }.median ?? 1
            return SharedCores(ranks: group.ranks, cores: group.cores * min(1, efficiency))
        }
    }

    private struct ActionStage: Hashable {
        let kind: ActionKind
        let stage: Int
    }

    /// Takes the kinds of action that this one lacks from another measurement of the same stages.
    public mutating func fill(from other: CostMeasurement) {
        precondition(times.count == other.times.count, "both measure the same stages")
        for stage in times.indices { times[stage].merge(other.times[stage]) { own, _ in own } }
    }
}

extension Timeline.Span {
    fileprivate var requiredProcessorTime: Double {
        get throws {
            guard let processorTime else {
                throw SimulationError(
                    "rank \(rank) shares cores, so its costs need processor times, which this trace doesn't have")
            }
            return processorTime
        }
    }
}

extension RecordedStep {
    /// How much processor time the actions of a group got of what its cores had while actions of the group were under
    /// way.
    fileprivate func efficiency(of group: SharedCores) throws -> Double {
        let spans = group.ranks.flatMap { actions[$0] }
        let used = try spans.reduce(0) { $0 + (try $1.requiredProcessorTime) }
        var available = 0.0
        var running = 0
        var last = 0.0
        let events = spans.flatMap { [($0.start, 1), ($0.end, -1)] }.sorted { $0.0 < $1.0 }
        for (time, change) in events {
            available += (time - last) * min(group.cores, Double(running))
            running += change
            last = time
        }
        return available > 0 ? used / available : 1
    }
}
