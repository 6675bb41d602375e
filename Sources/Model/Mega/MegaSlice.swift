import Kernels
import Numerics

/// What a Mega keeps in a stream's cursor, in this order: where the latest document began, and its number.
enum MegaCursor {
    static let form = CursorForm(start: at(0, documentStart: 0, document: 0))

    static func at(_ position: Int, documentStart: Int, document: Int) -> StreamCursor {
        StreamCursor(position: position, numbers: [documentStart, document])
    }

    static func documentStart(_ cursor: StreamCursor) -> Int { cursor.numbers[0] }
    static func document(_ cursor: StreamCursor) -> Int { cursor.numbers[1] }
}

/// The slice under way, as a Mega's blocks share it: each token sees its own chunk's tokens of its document, or its
/// whole document so far. The slice falls into a span for each chunk and document, so that nothing is ever masked.
final class MegaSlice: SharedSlice {
    private(set) var window = AttentionWindow()
    private(set) var exit = MegaCursor.form.start
    /// kappa [T]: 1/sqrt(Z) for a softmax, else 1/c of a token that sees c, itself included.
    private(set) var scoreScales: [Float] = []
    /// Distances that occur: 0 to one less.
    private(set) var distances = 0
    /// The EMA's.
    private(set) var tiles = DocumentTiles(longest: KernelTable.emaTile)
    private let c: MegaConfiguration
    /// The token that begins a document; nil: documents aren't told apart.
    private let mark: Int32?
    /// 1 where a token begins a document.
    private var documentStarts: [UInt8] = []

    init(_ c: MegaConfiguration) {
        self.c = c
        mark = c.bosID.map { Int32($0) }
    }

    var start: Int { window.start }
    var length: Int { window.length }
    /// Keys and values held from before the slice, and those handed on to the next; none are copied where every token
    /// of the sequence has its row.
    var held: Int { c.seesAll ? 0 : start - window.firstKey }
    var handedOn: Int { c.seesAll ? 0 : start + length - c.chunkStart(of: start + length) }

    func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>) {
        window.start = cursor.position
        window.length = length
        window.firstKey = c.seesAll ? cursor.firstKept : c.chunkStart(of: start)
        window.spans.removeAll(keepingCapacity: true)
        documentStarts.removeAll(keepingCapacity: true)
        scoreScales.removeAll(keepingCapacity: true)
        distances = 0
        var documentStart = MegaCursor.documentStart(cursor)
        if c.seesAll { documentStart = max(documentStart, cursor.firstKept) }
        var document = MegaCursor.document(cursor)
        let softmaxScale = Float(1 / Double(c.zDim).squareRoot())
        var span: AttentionWindow.Span?
        for position in start..<start + length {
            let begins = mark.map { tokens[position - start] == $0 } ?? false
            documentStarts.append(begins ? 1 : 0)
            if begins { (documentStart, document) = (position, document + 1) }
            let keyStart = max(documentStart, c.chunkStart(of: position))
            if span?.keyStart != keyStart {
                if let span { add(span) }
                span = .init(start: position, end: position, keyStart: keyStart)
            }
            span?.end = position + 1
            scoreScales.append(c.attention == .softmax ? softmaxScale : Float(1 / Double(position - keyStart + 1)))
        }
        if let span { add(span) }
        tiles.cut(documents: documentStarts)
        exit.position = start + length
        exit.numbers[0] = documentStart
        exit.numbers[1] = document
    }

    private func add(_ span: AttentionWindow.Span) {
        window.spans.append(span)
        distances = max(distances, span.end - span.keyStart)
    }
}

extension SliceContext {
    /// A Mega's blocks are given a Mega's slice.
    var mega: MegaSlice {
        guard let slice = slice as? MegaSlice else {
            preconditionFailure("a Mega's block is given the slice of another architecture")
        }
        return slice
    }
}
