import Numerics

/// What a Llama keeps in a stream's cursor, in this order: where the latest document began, and its number.
enum LlamaCursor {
    static let form = CursorForm(start: StreamCursor(numbers: [0, 0]))
}

extension StreamCursor {
    /// The first token of the latest document.
    var documentStart: Int {
        get { numbers[0] }
        set { numbers[0] = newValue }
    }

    /// The number of the latest token's document; 0 before any mark.
    var document: Int {
        get { numbers[1] }
        set { numbers[1] = newValue }
    }
}

/// The slice under way, as a Llama's blocks share it: each token sees its document from its first token on, so that the
/// slice falls into a span for each document and nothing is ever masked.
final class LlamaSlice: SharedSlice {
    private(set) var window = AttentionWindow()
    private(set) var exit = LlamaCursor.form.start
    /// Rotary tables [length, d] for keys and, with the softmax' scale 1/sqrt(d) in them, for queries.
    private(set) var keyTable = RotaryTable.Values()
    private(set) var queryTable = RotaryTable.Values()
    private let rotary: RotaryTable
    /// The token that begins a document; nil: documents aren't told apart.
    private let mark: Int32?

    init(_ c: LlamaConfiguration) {
        rotary = RotaryTable(keyDim: c.headDim, base: c.ropeBase)
        mark = c.bosID.map { Int32($0) }
    }

    var start: Int { window.start }
    var length: Int { window.length }

    func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>) {
        window.start = cursor.position
        window.length = length
        window.spans.removeAll(keepingCapacity: true)
        window.firstKey = cursor.firstKept
        var span = AttentionWindow.Span(
            start: start, end: start, keyStart: max(cursor.documentStart, cursor.firstKept))
        var document = cursor.document
        for t in 0..<length {
            if let mark, tokens[t] == mark {
                if span.start < span.end { window.spans.append(span) }
                span = .init(start: start + t, end: start + t, keyStart: start + t)
                document += 1
            }
            span.end += 1
        }
        window.spans.append(span)
        rotary.fill(start: start, length: length, &keyTable)
        rotary.fill(start: start, length: length, scale: 1 / Double(rotary.keyDim).squareRoot(), &queryTable)
        exit.position = start + length
        exit.documentStart = span.keyStart
        exit.document = document
    }
}

extension SliceContext {
    /// A Llama's blocks are given a Llama's slice.
    var llama: LlamaSlice {
        guard let slice = slice as? LlamaSlice else {
            preconditionFailure("a Llama's block is given the slice of another architecture")
        }
        return slice
    }
}
