import Schedules

/// Finds the spans at both ends of a message.
struct Consumers {
    private struct Key: Hashable {
        let rank: Int
        let action: Action
    }

    private var spans: [Key: Timeline.Span] = [:]

    /// A timeline over several steps has the same action more than once; then `spans` holds the latest, and an arrow that
    /// doesn't fit it falls back on its own times.
    init(_ timeline: Timeline) {
        for span in timeline.spans {
            if case .action(let action) = span.content { spans[Key(rank: span.rank, action: action)] = span }
        }
    }

    /// When the action that needs the message starts.
    func start(of arrow: Timeline.Arrow) -> Double? {
        guard let action = arrow.action else { return nil }
        let stage = action.kind == .forward ? action.stage + 1 : action.stage - 1
        let kinds: [ActionKind] = action.kind == .forward ? [.forward] : [.backward, .backwardInput]
        for kind in kinds {
            let consumer = Action(kind, stage: stage, sequence: action.sequence, slice: action.slice)
            if let span = spans[Key(rank: arrow.toRank, action: consumer)], span.start >= arrow.departure {
                return span.start
            }
        }
        return nil
    }

    /// The span of the action that made the message.
    func producer(of arrow: Timeline.Arrow) -> Timeline.Span? {
        guard let action = arrow.action, let span = spans[Key(rank: arrow.fromRank, action: action)],
            span.start <= arrow.departure
        else { return nil }
        return span
    }
}
