/// What a Megalodon keeps in a stream's cursor, in this order: the timestep norm's count, the latest document; as the
/// list, the document number of every token in the window.
///
/// The window holds the tokens of the unfinished chunk: none at a chunk's end.
enum MegalodonCursor {
    static let form = CursorForm(start: at(0, count: 0, document: 0, window: []), list: "window_documents")

    /// - Parameters:
    ///   - count: tokens of the latest document so far
    ///   - document: the number of the latest token's document; 0 before any mark
    ///   - window: document number of every token in the window
    static func at(_ position: Int, count: Int, document: Int32, window: [Int32]) -> StreamCursor {
        StreamCursor(position: position, numbers: [count, Int(document)], list: window)
    }

    static func count(_ cursor: StreamCursor) -> Int { cursor.numbers[0] }
    static func document(_ cursor: StreamCursor) -> Int32 { Int32(truncatingIfNeeded: cursor.numbers[1]) }
    static func windowStart(at position: Int, chunk: Int) -> Int { position / chunk * chunk }
}
