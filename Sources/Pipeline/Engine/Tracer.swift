import Hardware
import Schedules

/// Collects a rank's part of the timeline while it is on.
final class Tracer {
    private let rank: Int
    private let origin: Double
    private(set) var spans: [Timeline.Span] = []
    private(set) var ends: [End] = []

    /// One end of a message; the two ends meet at rank 0.
    struct End {
        var departs: Bool
        var from: Int
        var to: Int
        var tag: Int
        var time: Double
        var bytes: Int
        var action: Action
    }

    private let worldRank: (Int) -> Int

    /// `origin`: this rank's clock at the moment that all ranks count from.
    init(rank: Int, origin: Double, worldRank: @escaping (Int) -> Int) {
        self.rank = rank
        self.origin = origin
        self.worldRank = worldRank
    }

    /// A moment on both clocks.
    struct Moment {
        let time: Double
        let processorTime: Double

        static var now: Moment { Moment(time: MonotonicClock.seconds, processorTime: ThreadClock.seconds) }
    }

    /// Adds what has been going on since `start`.
    func span(_ content: Timeline.Content, since start: Moment) {
        let end = Moment.now
        spans.append(
            Timeline.Span(
                rank: rank, content: content, start: start.time - origin, duration: end.time - start.time,
                processorTime: end.processorTime - start.processorTime))
    }

    func departed(_ message: Message, _ action: Action, at time: Double, bytes: Int) {
        ends.append(
            End(
                departs: true, from: rank, to: worldRank(message.peer), tag: message.tag, time: time - origin,
                bytes: bytes, action: action))
    }

    func arrived(_ message: Message, at time: Double) {
        let action = Action(.forward, stage: message.stage, sequence: message.sequence, slice: message.slice)
        ends.append(
            End(
                departs: false, from: worldRank(message.peer), to: rank, tag: message.tag, time: time - origin,
                bytes: 0,
                action: action))
    }
}
