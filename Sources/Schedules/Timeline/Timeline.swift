/// What happened when on which rank: what a simulator predicts and what a run records, in one form.
package struct Timeline: Sendable, Equatable {
    /// What a span shows.
    package enum Content: Sendable, Hashable {
        case action(Action)
        /// Anything else, such as "sync", "optimizer", "evaluate".
        case label(String)
    }

    /// A stretch of time on one lane of a rank.
    package struct Span: Sendable, Equatable {
        package var rank: Int
        /// 0 is the lane of the schedule's actions; others run beside it.
        package var lane: Int
        package var content: Content
        /// Seconds since the timeline's origin.
        package var start: Double
        /// Seconds.
        package var duration: Double
        /// Seconds for which the rank's thread had a core meanwhile; nil where nobody measured it.
        package var processorTime: Double?

        package init(
            rank: Int, lane: Int = 0, content: Content, start: Double, duration: Double, processorTime: Double? = nil
        ) {
            self.rank = rank
            self.lane = lane
            self.content = content
            self.start = start
            self.duration = duration
            self.processorTime = processorTime
        }

        package var end: Double { start + duration }
    }

    /// A message from its send to its receive.
    package struct Arrow: Sendable, Equatable {
        package var fromRank: Int
        /// Seconds at which the data was ready to go.
        package var departure: Double
        package var toRank: Int
        /// Seconds at which the data was there.
        package var arrival: Double
        package var bytes: Int
        /// What was sent, for people.
        package var label: String
        /// The action that produced it; its span is the arrow's tail and the span that needs it the arrow's head.
        package var action: Action?

        /// - Parameter label: nil to name the message by its action.
        package init(
            fromRank: Int, departure: Double, toRank: Int, arrival: Double, bytes: Int, label: String? = nil,
            action: Action? = nil
        ) {
            self.fromRank = fromRank
            self.departure = departure
            self.toRank = toRank
            self.arrival = arrival
            self.bytes = bytes
            self.label = label ?? action?.description ?? "message"
            self.action = action
        }
    }

    package var title: String
    package var ranks: Int
    package var spans: [Span]
    package var arrows: [Arrow]

    package init(title: String, ranks: Int, spans: [Span] = [], arrows: [Arrow] = []) {
        self.title = title
        self.ranks = ranks
        self.spans = spans
        self.arrows = arrows
    }

    /// Seconds of the first start and the last end; 0 and 0 for an empty timeline.
    package var extent: (start: Double, end: Double) {
        guard let first = spans.first else { return (0, 0) }
        return spans.reduce((first.start, first.end)) { (min($0.0, $1.start), max($0.1, $1.end)) }
    }
}
