import Glibc

/// How one slice of a stream is processed: where it is cut at chunk boundaries, which keys and which memory each token sees, and
/// the tables that all layers share. Any start and any length are allowed.
///
/// The rules (GECKO.md): token i of chunk c sees the keys from (c - 1) C to i of its own document; it reads a memory that has absorbed
/// chunks 0..c-2 if that belongs to its document; chunk c - 1 is absorbed at the instant chunk c completes.
package struct SlicePlan: Sendable {
    /// Tokens `start..<end` (absolute) within one chunk.
    package struct Piece: Sendable {
        package var start: Int
        package var end: Int
        /// Keys `keyStart..<end` are in reach.
        package var keyStart: Int
        /// Tokens that may read the memory: document numbers never fall, so they are consecutive.
        package var readers: Range<Int>
        /// Tokens absorbed when the piece ends: the last document's part of the previous chunk. Empty: nothing is absorbed.
        package var absorbed: Range<Int>
        /// The memory belonged to another document and is emptied before it absorbs.
        package var wipes: Bool
    }

    package let start: Int
    package let length: Int
    package let chunk: Int
    /// Absolute position of the first key in the incoming window; `window` keys are held.
    package let windowStart: Int
    package var window: Int { start - windowStart }
    /// The window handed on begins here.
    package let newWindowStart: Int
    package var newWindow: Int { start + length - newWindowStart }
    package let pieces: [Piece]
    /// Document numbers of window and slice, from `windowStart` on.
    package let documents: [Int32]
    /// True when the window and the slice hold more than one document.
    package let hasBoundaries: Bool
    /// 1 where a token is a bos.
    package let resets: [UInt8]
    /// 1 / (1 - beta^count) of each token, for the two decays of the timestep norm.
    package let meanCorrection: [Float]
    package let varianceCorrection: [Float]
    /// The EMA's tiles: first token (relative) and whether it is a bos.
    package let tileStarts: [Int32]
    package let tileResets: [UInt8]
    /// Rotary tables [length, dz], each angle twice, sines with signs (-, +).
    package let cosines: [Float]
    package let sines: [Float]
    /// Where the stream stands after the slice.
    package let exit: StreamCursor

    /// - Parameters:
    ///   - bos: which of the `length` tokens start a document; nil when documents aren't told apart.
    ///   - keyDim: features of one head's key, dz (0: no rotary tables).
    package init(
        cursor: StreamCursor, length: Int, bos: [Bool]?, chunk: Int, keyDim: Int, ropeBase: Double, beta1: Double,
        beta2: Double, tile: Int
    ) {
        start = cursor.position
        self.length = length
        self.chunk = chunk
        let end = cursor.position + length
        let first = StreamCursor.windowStart(at: start, chunk: chunk)
        windowStart = first
        newWindowStart = StreamCursor.windowStart(at: end, chunk: chunk)
        precondition(cursor.windowDocuments.count == start - first, "the cursor's window doesn't match its position")

        var documents = cursor.windowDocuments
        documents.reserveCapacity(end - first)
        var resets = [UInt8](repeating: 0, count: length)
        var document = cursor.lastDocument
        var count = cursor.count
        var c1 = [Float](repeating: 0, count: length)
        var c2 = c1
        let log1 = log(beta1)
        let log2 = log(beta2)
        for t in 0..<length {
            if let bos, bos[t] {
                document += 1
                count = 0
                resets[t] = 1
            }
            count += 1
            documents.append(document)
            // 1 - beta^count without cancellation; in float32 it would be off by 1e-3.
            c1[t] = Float(-1 / expm1(Double(count) * log1))
            c2[t] = Float(-1 / expm1(Double(count) * log2))
        }
        self.documents = documents
        self.resets = resets
        meanCorrection = c1
        varianceCorrection = c2
        hasBoundaries = documents.first != documents.last

        var owner = cursor.memoryDocument
        var pieces: [Piece] = []
        var a = start
        while a < end {
            let b = min(end, (a / chunk + 1) * chunk)
            let c = a / chunk
            func documentAt(_ i: Int) -> Int32 { documents[i - first] }
            // Without documents everyone reads (an empty memory gives 0) and nothing is ever wiped.
            let r0 = bos == nil ? a : (a..<b).first { documentAt($0) >= owner } ?? b
            let r1 = bos == nil ? b : (r0..<b).first { documentAt($0) > owner } ?? b
            var piece = Piece(
                start: a, end: b, keyStart: max(0, (c - 1) * chunk), readers: r0..<r1, absorbed: b..<b, wipes: false)
            if b % chunk == 0 && c >= 1 {
                let newOwner = documentAt(b - chunk - 1)
                let from = (b - 2 * chunk..<b - chunk).first { documentAt($0) == newOwner }!
                piece.absorbed = from..<b - chunk
                piece.wipes = bos != nil && owner != newOwner
                owner = newOwner
            }
            pieces.append(piece)
            a = b
        }
        self.pieces = pieces

        var starts: [Int32] = []
        for t in 0..<length where resets[t] == 1 || starts.isEmpty || t - Int(starts[starts.count - 1]) == tile {
            starts.append(Int32(t))
        }
        tileStarts = starts
        tileResets = starts.map { resets[Int($0)] }

        var cosines = [Float](repeating: 0, count: length * keyDim)
        var sines = cosines
        for j in stride(from: 0, to: keyDim - 1, by: 2) {
            let frequency = pow(ropeBase, -Double(j) / Double(keyDim))
            for t in 0..<length {
                let angle = Double(start + t) * frequency
                let c = Float(cos(angle))
                let s = Float(sin(angle))
                let k = t * keyDim + j
                cosines[k] = c
                cosines[k + 1] = c
                sines[k] = -s
                sines[k + 1] = s
            }
        }
        self.cosines = cosines
        self.sines = sines
        exit = StreamCursor(
            position: end, count: count, windowDocuments: Array(documents[(newWindowStart - first)...]),
            memoryDocument: owner, lastDocument: document)
    }
}
