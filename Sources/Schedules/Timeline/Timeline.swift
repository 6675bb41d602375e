/// What happened when on which rank: what a simulator predicts and what a run records, in one form.
public struct Timeline: Sendable, Equatable {
    /// What a span shows.
    public enum Content: Sendable, Hashable {
        case action(Action)
        /// Anything else, such as "sync", "optimizer", "evaluate".
        case label(String)
    }

    /// A stretch of time on one lane of a rank.
    public struct Span: Sendable, Equatable {
        /// On whose row it is drawn.
        public var rank: Int
        /// 0 is the lane of the schedule's actions; others run beside it.
        public var lane: Int
        /// What it shows.
        public var content: Content
        /// Seconds since the timeline's origin.
        public var start: Double
        /// Seconds.
        public var duration: Double
        /// Seconds for which the rank's thread had a core meanwhile; nil where nobody measured it.
        public var processorTime: Double?

        public init(
            rank: Int, lane: Int = 0, content: Content, start: Double, duration: Double, processorTime: Double? = nil
        ) {
            self.rank = rank
            self.lane = lane
            self.content = content
            self.start = start
            self.duration = duration
            self.processorTime = processorTime
        }

        /// Seconds.
        public var end: Double { start + duration }
    }

    /// A message from its send to its receive.
    public struct Arrow: Sendable, Equatable {
        /// Who sends.
        public var fromRank: Int
        /// Seconds at which the data was ready to go.
        public var departure: Double
        /// Who receives.
        public var toRank: Int
        /// Seconds at which the data was there.
        public var arrival: Double
        /// Length of the message.
        public var bytes: Int
        /// What was sent, for people.
        public var label: String
        /// The action that produced it; its span is the arrow's tail and the span that needs it the arrow's head.
        public var action: Action?

        /// A message that is named by its action, or without one "message": `label` can be set.
        public init(
            fromRank: Int, departure: Double, toRank: Int, arrival: Double, bytes: Int, action: Action? = nil
        ) {
            self.fromRank = fromRank
            self.departure = departure
            self.toRank = toRank
            self.arrival = arrival
            self.bytes = bytes
            label = action?.description ?? "message"
            self.action = action
        }
    }

    /// Over the drawing.
    public var title: String
    /// Rows of the drawing.
    public var ranks: Int
    /// What ranks do.
    public var spans: [Span]
    /// Messages between them.
    public var arrows: [Arrow]

    /// A timeline to add to.
    public init(title: String, ranks: Int, spans: [Span] = [], arrows: [Arrow] = []) {
        self.title = title
        self.ranks = ranks
        self.spans = spans
        self.arrows = arrows
    }

    /// Seconds of the first start and the last end; 0 and 0 for an empty timeline.
    public var extent: (start: Double, end: Double) {
        guard let first = spans.first else { return (0, 0) }
        return spans.reduce((first.start, first.end)) { (min($0.0, $1.start), max($0.1, $1.end)) }
    }
}
