/// Where a stream of tokens stands, as far as every block shares it: no floating-point state, only positions and what
/// an architecture counts.
package struct StreamCursor: Sendable, Equatable {
    /// Tokens so far.
    package var position = 0
    /// The first token of which layers that keep every token still have a row: with streams, those of long ago are
    /// gone. Who carries the stream sets it; files don't hold it.
    package var firstKept = 0
    /// As many as the architecture has, whatever the position.
    package var numbers: [Int]
    /// As long as the architecture needs it at this position.
    package var list: [Int32] = []

    package init(position: Int = 0, numbers: [Int], list: [Int32] = []) {
        self.position = position
        self.numbers = numbers
        self.list = list
    }

    /// Takes on another's value within the memory that it has.
    package mutating func become(_ other: StreamCursor) {
        position = other.position
        firstKept = other.firstKept
        numbers.removeAll(keepingCapacity: true)
        numbers.append(contentsOf: other.numbers)
        list.removeAll(keepingCapacity: true)
        list.append(contentsOf: other.list)
    }
}

/// What an architecture keeps in a cursor, and how files hold it.
package struct CursorForm: Sendable {
    /// Before a stream's first token. Files hold position and numbers, in this order, under the name `cursor`.
    package let start: StreamCursor
    /// The name of the list in files; nil: the list is always empty.
    package let list: String?

    package init(start: StreamCursor, list: String? = nil) {
        self.start = start
        self.list = list
    }
}
