/// What a Gecko keeps in a stream's cursor, in this order: the timestep norm's count, the memory's document, the latest
/// document; as the list, the document number of every token in the window.
///
/// The window holds the tokens from `windowStart` to `position`: the whole previous chunk, if attention sees it, and the
/// unfinished one.
package enum GeckoCursor {
    package static let start = StreamCursor(
        position: 0, count: 0, windowDocuments: [], memoryDocument: -1, lastDocument: 0)
    static let form = CursorForm(start: start, list: "window_documents")
}

extension StreamCursor {
    package init(position: Int, count: Int, windowDocuments: [Int32], memoryDocument: Int32, lastDocument: Int32) {
        self.init(
            position: position, numbers: [count, Int(memoryDocument), Int(lastDocument)], list: windowDocuments)
    }

    /// Tokens of the latest document so far (the timestep norm's count).
    package var count: Int {
        get { numbers[0] }
        set { numbers[0] = newValue }
    }

    /// The document whose tokens the working memory holds; -1 while it is empty.
    package var memoryDocument: Int32 {
        get { Int32(truncatingIfNeeded: numbers[1]) }
        set { numbers[1] = Int(newValue) }
    }

    /// The document number of the latest token; 0 before any.
    package var lastDocument: Int32 {
        get { Int32(truncatingIfNeeded: numbers[2]) }
        set { numbers[2] = Int(newValue) }
    }

    /// Document number of every token in the window.
    package var windowDocuments: [Int32] {
        get { list }
        set { list = newValue }
    }

    /// - Parameter chunks: that a token sees, its own included
    package static func windowStart(at position: Int, chunk: Int, chunks: Int = 2) -> Int {
        max(0, (position / chunk - (chunks - 1)) * chunk)
    }
}
