import Schedules

/// One step of one replica on the clock: what each rank did when. Seconds since the timeline's origin.
public struct RecordedStep: Sendable {
    /// Spans of the actions by rank and position in the rank's row.
    public internal(set) var actions: [[Timeline.Span]]
    /// Spans of the step's phases beside the row, by rank.
    public internal(set) var phases: [[Timeline.Span]]
    /// Messages with the rank and position of the action that needed each.
    public internal(set) var messages: [Delivery] = []

    public struct Delivery: Sendable {
        public let arrow: Timeline.Arrow
        /// Position of the action that needed it in the row of the arrow's rank.
        public let position: Int
    }

    /// Start of the first action.
    public var start: Double { actions.reduce(.infinity) { min($0, $1.first?.start ?? .infinity) } }

    /// End of the last action.
    public var tableEnd: Double { actions.reduce(-.infinity) { max($0, $1.last?.end ?? -.infinity) } }

    /// Seconds of the table, from the first start to the last end.
    public var tableTime: Double { tableEnd - start }

    /// Seconds of the step beside the table: the longest beginning, and what comes after the last action.
    public var restTime: Double {
        var beginning = 0.0
        var end = tableEnd
        for span in phases.joined() {
            if span.content == .label(StepPhase.begin.rawValue) {
                beginning = max(beginning, span.duration)
            } else {
                end = max(end, span.end)
            }
        }
        return beginning + end - tableEnd
    }

    public var time: Double { tableTime + restTime }

    /// Seconds that each rank computes.
    public var busy: [Double] { actions.map { $0.reduce(0) { $0 + $1.duration } } }

    /// Per rank the share of the step without computing.
    public var idle: [Double] {
        let time = time
        return busy.map { time > 0 ? 1 - $0 / time : 0 }
    }

    /// When a rank is done with what comes before the given position; nil before its first action.
    private func free(_ rank: Int, before position: Int) -> Double? {
        position > 0 ? actions[rank][position - 1].end : nil
    }

    /// Seconds in which a rank had nothing to do but wait for a message that was under way.
    public func exposed(_ delivery: Delivery) -> Double {
        let rank = delivery.arrow.toRank
        let ready = max(delivery.arrow.departure, free(rank, before: delivery.position) ?? -.infinity)
        return max(0, actions[rank][delivery.position].start - ready)
    }

    /// Seconds that a message was under way; nil if the receiver was still computing when it left, since then nobody
    /// saw it arrive.
    public func transferTime(_ delivery: Delivery) -> Double? {
        let free = free(delivery.arrow.toRank, before: delivery.position) ?? -.infinity
        return free < delivery.arrow.departure ? delivery.arrow.arrival - delivery.arrow.departure : nil
    }
}
