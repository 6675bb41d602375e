import Glibc
import Kernels

/// How one slice of a stream is processed: where it is cut at chunk boundaries, which keys and which memory each token
/// sees, and the tables that all layers share. Any start and any length are allowed.
///
/// The rules (GECKO.md): token i of chunk c sees the keys from (c - 1) C to i of its own document; it reads a memory
/// that has absorbed chunks 0..c-2 if that belongs to its document; chunk c - 1 is absorbed at the instant chunk c
/// completes.
///
/// In general: a chunk is absorbed at the instant it leaves the window. Where tokens see their own chunk only (`window`),
/// chunk c leaves it when it completes, and a token of chunk c reads a memory of the chunks 0..c-1.
package struct SlicePlan: Sendable {
    /// Tokens `start..<end` (absolute) within one chunk.
    package struct Piece: Sendable {
        package var start: Int
        package var end: Int
        /// Keys `keyStart..<end` are in reach.
        package var keyStart: Int
        /// Tokens that may read the memory: document numbers never fall, so they are consecutive.
        package var readers: Range<Int>
        /// Tokens absorbed when the piece ends: the last document's part of the previous chunk. Empty: nothing is
        /// absorbed.
        package var absorbed: Range<Int>
        /// The memory belonged to another document and is emptied before it absorbs.
        package var wipes: Bool
    }

    /// What attention sees.
    package private(set) var attention = AttentionWindow()
    package var start: Int { attention.start }
    package var length: Int { attention.length }
    package let chunk: Int
    /// Absolute position of the first key in the incoming window; `window` keys are held.
    package var windowStart: Int { attention.firstKey }
    package var window: Int { start - windowStart }
    /// The window handed on begins here.
    package private(set) var newWindowStart = 0
    package var newWindow: Int { start + length - newWindowStart }
    package private(set) var pieces: [Piece] = []
    /// Document numbers of window and slice, from `windowStart` on.
    package var documents: [Int32] { attention.documents }
    /// True when the window and the slice hold more than one document.
    package var hasBoundaries: Bool { attention.hasBoundaries }
    /// 1 where a token is a bos.
    package private(set) var resets: [UInt8] = []
    /// 1 / (1 - beta^count) of each token, for the two decays of the timestep norm.
    package private(set) var meanCorrection: [Float] = []
    package private(set) var varianceCorrection: [Float] = []
    /// 1 / count of each token, for a norm whose moments are cumulative.
    package private(set) var shares: [Float] = []
    /// The EMA's.
    package private(set) var tiles: DocumentTiles
    /// Rotary tables [length, dz], each angle twice, sines with signs (-, +).
    package private(set) var rotation = RotaryTable.Values()
    /// Where the stream stands after the slice. Who keeps a copy that shares the window's memory makes the next move
    /// take new memory; `StreamCursor.become` copies without sharing.
    package private(set) var exit = GeckoCursor.start

    private let rotary: RotaryTable
    private let log1: Double
    private let log2: Double
    private let parts: Parts

    /// Which parts of a Gecko there are (`GeckoConfiguration`).
    package struct Parts: Sendable {
        /// Chunks that a token sees, its own included.
        package var chunks = 2
        package var hasMemory = true
        package var norm = GeckoConfiguration.TimestepNormKind.decay

        package init() {}
    }

    /// A plan of nothing, to be moved to a slice.
    ///
    /// - Parameter keyDim: features of one head's key, dz (0: no rotary tables)
    package init(
        chunk: Int, keyDim: Int, ropeBase: Double, beta1: Double, beta2: Double, tile: Int, parts: Parts = Parts()
    ) {
        self.chunk = chunk
        self.parts = parts
        tiles = DocumentTiles(longest: tile)
        rotary = RotaryTable(keyDim: keyDim, base: ropeBase)
        log1 = log(beta1)
        log2 = log(beta2)
    }

    package init(_ c: GeckoConfiguration) {
        var parts = Parts()
        (parts.chunks, parts.hasMemory, parts.norm) = (c.chunksSeen, c.memory, c.timestepNorm)
        self.init(
            chunk: c.chunk, keyDim: c.keyDim, ropeBase: c.ropeBase, beta1: c.beta1, beta2: c.beta2,
            tile: KernelTable.emaTile, parts: parts)
    }

    /// This plan at a slice.
    ///
    /// - Parameter bos: which of the `length` tokens start a document; nil when documents aren't told apart
    package func moved(to cursor: StreamCursor, length: Int, bos: [Bool]?) -> SlicePlan {
        var plan = self
        let tokens: [Int32] = (bos ?? []).map { $0 ? 1 : 0 }
        tokens.withUnsafeBufferPointer { tokens in
            let marks = tokens.baseAddress.map { DocumentMarks($0, mark: 1) }
            plan.move(to: cursor, length: length, marks: bos == nil ? nil : marks)
        }
        return plan
    }

    /// Plans another slice in the memory of this one: the same as a new plan.
    ///
    /// - Parameter marks: of the slice; nil when documents aren't told apart.
    package mutating func move(to cursor: StreamCursor, length: Int, marks: DocumentMarks?) {
        attention.start = cursor.position
        attention.length = length
        let end = cursor.position + length
        attention.firstKey = StreamCursor.windowStart(at: start, chunk: chunk, chunks: parts.chunks)
        newWindowStart = StreamCursor.windowStart(at: end, chunk: chunk, chunks: parts.chunks)
        precondition(
            cursor.windowDocuments.count == start - windowStart, "the cursor's window doesn't match its position")
        let (count, document) = planTokens(after: cursor, marks)
        let owner = planPieces(after: cursor, separatesDocuments: marks != nil)
        tiles.cut(documents: resets)
        rotary.fill(start: start, length: length, &rotation)
        exit.position = end
        exit.count = count
        exit.memoryDocument = owner
        exit.lastDocument = document
        exit.list.removeAll(keepingCapacity: true)
        exit.list.append(contentsOf: documents[(newWindowStart - windowStart)...])
    }

    /// Documents, resets and the norm's corrections; the last token's place in its document, and the document.
    private mutating func planTokens(
        after cursor: StreamCursor, _ marks: DocumentMarks?
    ) -> (count: Int, document: Int32) {
        attention.documents.removeAll(keepingCapacity: true)
        attention.documents.append(contentsOf: cursor.list)
        resets.removeAll(keepingCapacity: true)
        meanCorrection.removeAll(keepingCapacity: true)
        varianceCorrection.removeAll(keepingCapacity: true)
        shares.removeAll(keepingCapacity: true)
        var document = cursor.lastDocument
        var count = cursor.count
        for t in 0..<length {
            let isStart = marks?[t] ?? false
            if isStart {
                document += 1
                count = 0
            }
            resets.append(isStart ? 1 : 0)
            count += 1
            attention.documents.append(document)
            weigh(count)
        }
        attention.hasBoundaries = documents.first != documents.last
        return (count, document)
    }

    /// How much a token counts for the timestep norm, the `count`-th of its document.
    private mutating func weigh(_ count: Int) {
        switch parts.norm {
        case .decay:
            // 1 - beta^count without cancellation; in float32 it would be off by 1e-3.
            meanCorrection.append(Float(-1 / expm1(Double(count) * log1)))
            varianceCorrection.append(Float(-1 / expm1(Double(count) * log2)))
        case .cumulative: shares.append(Float(1 / Double(count)))
        }
    }

    /// Cuts the slice at chunk boundaries; returns the document that the memory holds after it.
    private mutating func planPieces(after cursor: StreamCursor, separatesDocuments: Bool) -> Int32 {
        pieces.removeAll(keepingCapacity: true)
        attention.spans.removeAll(keepingCapacity: true)
        var owner = cursor.memoryDocument
        let end = start + length
        var a = start
        while a < end {
            let b = min(end, (a / chunk + 1) * chunk)
            let keyStart = StreamCursor.windowStart(at: a, chunk: chunk, chunks: parts.chunks)
            // Without documents everyone reads (an empty memory gives 0) and nothing is ever wiped.
            let r0 = separatesDocuments ? (a..<b).first { document(at: $0) >= owner } ?? b : a
            let r1 = separatesDocuments ? (r0..<b).first { document(at: $0) > owner } ?? b : b
            var piece = Piece(
                start: a, end: b, keyStart: keyStart, readers: r0..<r1, absorbed: b..<b, wipes: false)
            // The end of the chunk that leaves the window when the token's own is complete.
            let last = b - (parts.chunks - 1) * chunk
            if parts.hasMemory && b % chunk == 0 && last > 0 {
                let newOwner = document(at: last - 1)
                let from = (last - chunk..<last).first { document(at: $0) == newOwner }!
                piece.absorbed = from..<last
                piece.wipes = separatesDocuments && owner != newOwner
                owner = newOwner
            }
            pieces.append(piece)
            attention.spans.append(.init(start: a, end: b, keyStart: piece.keyStart))
            a = b
        }
        return owner
    }

    private func document(at position: Int) -> Int32 { documents[position - windowStart] }
}
