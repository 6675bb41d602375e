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

    /// `origin`: this rank's clock when all ranks left a barrier together.
    init(rank: Int, origin: Double, worldRank: @escaping (Int) -> Int) {
        self.rank = rank
        self.origin = origin
        self.worldRank = worldRank
    }

    func span(_ content: Timeline.Content, from start: Double, to end: Double) {
        spans.append(Timeline.Span(rank: rank, content: content, start: start - origin, duration: end - start))
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
