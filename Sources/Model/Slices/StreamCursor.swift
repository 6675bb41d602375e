/// Where a stream of tokens stands, as far as every layer shares it: no floating-point state, only positions and documents.
///
/// The window holds the tokens from `windowStart` to `position`: the whole previous chunk and the unfinished one.
package struct StreamCursor: Sendable, Equatable {
    package var position = 0
    /// Tokens of the latest document so far (the timestep norm's count).
    package var count = 0
    /// Document number of every token in the window.
    package var windowDocuments: [Int32] = []
    /// The document whose tokens the working memory holds; -1 while it is empty.
    package var memoryDocument: Int32 = -1
    /// The document number of the latest token; 0 before any.
    package var lastDocument: Int32 = 0

    package init() {}

    package init(position: Int, count: Int, windowDocuments: [Int32], memoryDocument: Int32, lastDocument: Int32) {
        self.position = position
        self.count = count
        self.windowDocuments = windowDocuments
        self.memoryDocument = memoryDocument
        self.lastDocument = lastDocument
    }

    /// Takes on another's value within the memory that it has.
    package mutating func become(_ other: StreamCursor) {
        position = other.position
        count = other.count
        memoryDocument = other.memoryDocument
        lastDocument = other.lastDocument
        windowDocuments.removeAll(keepingCapacity: true)
        windowDocuments.append(contentsOf: other.windowDocuments)
    }

    package static func windowStart(at position: Int, chunk: Int) -> Int { max(0, (position / chunk - 1) * chunk) }
}
