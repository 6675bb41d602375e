import Kernels
import Numerics

/// The slice under way, as a Megalodon's blocks share it: each token sees its own chunk's tokens of its document.
final class MegalodonSlice: SharedSlice {
    private(set) var window = AttentionWindow()
    private(set) var exit = MegalodonCursor.form.start
    /// The window handed on begins here.
    private(set) var newWindowStart = 0
    /// 1 / c of each token, the c-th of its document.
    private(set) var shares: [Float] = []
    /// The EMA's.
    private(set) var tiles = DocumentTiles(longest: KernelTable.emaTile)
    /// Rotary tables [length, dz] of the places in the chunk.
    private(set) var rotation = RotaryTable.Values()
    /// Which places `rotation` is of: the first one, and how many.
    private var rotated = (first: -1, length: 0)
    private let rotary: RotaryTable
    private let chunk: Int
    /// The token that begins a document; nil: documents aren't told apart.
    private let mark: Int32?
    /// 1 where a token begins a document.
    private var documentStarts: [UInt8] = []

    init(_ c: MegalodonConfiguration) {
        rotary = RotaryTable(keyDim: c.keyDim, base: c.ropeBase)
        chunk = c.chunk
        mark = c.bosID.map { Int32($0) }
    }

    var start: Int { window.start }
    var length: Int { window.length }
    /// Keys in the window that the slice is entered with, and in the one handed on.
    var held: Int { start - window.firstKey }
    var newWindow: Int { start + length - newWindowStart }

    func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>) {
        window.start = cursor.position
        window.length = length
        window.firstKey = MegalodonCursor.windowStart(at: start, chunk: chunk)
        let end = start + length
        newWindowStart = MegalodonCursor.windowStart(at: end, chunk: chunk)
        precondition(cursor.list.count == held, "the cursor's window doesn't match its position")
        readTokens(after: cursor, tokens)
        tiles.cut(documents: documentStarts)
        window.spans.removeAll(keepingCapacity: true)
        var a = start
        while a < end {
            let keyStart = MegalodonCursor.windowStart(at: a, chunk: chunk)
            window.spans.append(.init(start: a, end: min(end, keyStart + chunk), keyStart: keyStart))
            a = keyStart + chunk
        }
        if rotated != (start % chunk, length) {
            rotary.fill(start: start, length: length, period: chunk, &rotation)
            rotated = (start % chunk, length)
        }
        exit.position = end
        exit.list.removeAll(keepingCapacity: true)
        if newWindow > 0 { exit.list.append(contentsOf: window.documents[(newWindowStart - window.firstKey)...]) }
    }

    /// Documents, their first tokens, and the tokens' places in them.
    private func readTokens(after cursor: StreamCursor, _ tokens: UnsafePointer<Int32>) {
        window.documents.removeAll(keepingCapacity: true)
        window.documents.append(contentsOf: cursor.list)
        documentStarts.removeAll(keepingCapacity: true)
        shares.removeAll(keepingCapacity: true)
        var (count, document) = (MegalodonCursor.count(cursor), MegalodonCursor.document(cursor))
        for t in 0..<length {
            let begins = mark.map { tokens[t] == $0 } ?? false
            if begins { (count, document) = (0, document + 1) }
            count += 1
            documentStarts.append(begins ? 1 : 0)
            shares.append(Float(1 / Double(count)))
            window.documents.append(document)
        }
        window.hasBoundaries = window.documents.first != window.documents.last
        exit.numbers[0] = count
        exit.numbers[1] = Int(document)
    }
}

extension SliceContext {
    /// A Megalodon's blocks are given a Megalodon's slice.
    var megalodon: MegalodonSlice {
        guard let slice = slice as? MegalodonSlice else {
            preconditionFailure("a Megalodon's block is given the slice of another architecture")
        }
        return slice
    }
}
