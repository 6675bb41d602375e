import Schedules

/// Finds the spans at both ends of a message.
struct Consumers {
    private struct Key: Hashable {
        let rank: Int
        let action: Action
    }

    /// Ascending by start: a timeline over several steps has the same action more than once.
    private var spans: [Key: [Timeline.Span]] = [:]

    init(_ timeline: Timeline) {
        for span in timeline.spans.sorted(by: { $0.start < $1.start }) {
            if case .action(let action) = span.content {
                spans[Key(rank: span.rank, action: action), default: []].append(span)
            }
        }
    }

    /// When the action that needs the message starts: the first of its kind that doesn't start before the message
    /// departs.
    func start(of arrow: Timeline.Arrow) -> Double? {
        guard let action = arrow.action else { return nil }
        let stage = action.kind == .forward ? action.stage + 1 : action.stage - 1
        let kinds: [ActionKind] = action.kind == .forward ? [.forward] : [.backward, .backwardInput]
        for kind in kinds {
            let consumer = Action(kind, stage: stage, sequence: action.sequence, slice: action.slice)
            let found = spans[Key(rank: arrow.toRank, action: consumer)]?.first { $0.start >= arrow.departure }
            if let found { return found.start }
        }
        return nil
    }

    /// The span of the action that made the message: the last of its kind that has started when the message departs.
    func producer(of arrow: Timeline.Arrow) -> Timeline.Span? {
        guard let action = arrow.action else { return nil }
        return spans[Key(rank: arrow.fromRank, action: action)]?.last { $0.start <= arrow.departure }
    }
}
