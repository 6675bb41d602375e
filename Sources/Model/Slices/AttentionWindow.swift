/// Which keys the tokens of a slice see. Positions count from the stream's start.
package struct AttentionWindow: Sendable {
    /// Tokens `start..<end`, each of which sees the keys from `keyStart` to itself that are of its own document.
    package struct Span: Sendable {
        package var start, end: Int
        package var keyStart: Int

        package init(start: Int, end: Int, keyStart: Int) {
            self.start = start
            self.end = end
            self.keyStart = keyStart
        }
    }

    /// The slice's first token.
    package internal(set) var start = 0
    package internal(set) var length = 0
    /// The first key that is held: the keys and values that attention is given begin here.
    package internal(set) var firstKey = 0
    /// Of the whole slice, in order.
    package internal(set) var spans: [Span] = []
    /// Whether a span's keys may be of several documents.
    package internal(set) var hasBoundaries = false
    /// Document numbers from `firstKey` to the slice's end; needed where there are boundaries.
    package internal(set) var documents: [Int32] = []

    package init() {}

    /// A window in which every span's keys are of one document.
    package init(start: Int, length: Int, firstKey: Int = 0, spans: [Span]) {
        self.start = start
        self.length = length
        self.firstKey = firstKey
        self.spans = spans
    }
}
