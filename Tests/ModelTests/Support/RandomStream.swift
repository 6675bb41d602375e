import Kernels
import Model
import TestSupport

/// A stream of tokens that may start documents, and its plan in any cut.
struct RandomStream: Sendable {
    let length, chunk: Int
    /// Chunks that a token sees, its own included.
    var chunks = 2
    /// Which tokens start a document; nil: documents aren't told apart.
    let bos: [Bool]?

    /// Documents begin with probability 1 / `every`, at the stream's first token too.
    init(seed: Int, length: Int, chunk: Int, documentsEvery every: Int?) {
        var noise = Noise(seed)
        self.length = length
        self.chunk = chunk
        bos = every.map { every in (0..<length).map { _ in noise.integer(below: every) == 0 } }
    }

    init(length: Int, chunk: Int, chunks: Int = 2, bos: [Bool]?) {
        self.chunks = chunks
        self.length = length
        self.chunk = chunk
        self.bos = bos
    }

    func plan(_ cursor: StreamCursor, length: Int, keyDim: Int = 0, tile: Int = KernelTable.emaTile) -> SlicePlan {
        let range = cursor.position..<cursor.position + length
        var parts = SlicePlan.Parts()
        parts.chunks = chunks
        return SlicePlan(
            chunk: chunk, keyDim: keyDim, ropeBase: 100, beta1: 0.9, beta2: 0.95, tile: tile, parts: parts
        )
        .moved(to: cursor, length: length, bos: bos.map { Array($0[range]) })
    }

    /// Plans of the slices that end at `ends`.
    func plans(_ ends: [Int]) -> [SlicePlan] {
        var cursor = GeckoCursor.start
        return ends.map { end in
            let plan = plan(cursor, length: end - cursor.position)
            cursor = plan.exit
            return plan
        }
    }

    /// Where the stream stands after its first `position` tokens.
    func cursor(at position: Int) -> StreamCursor {
        position == 0 ? GeckoCursor.start : plan(GeckoCursor.start, length: position).exit
    }

    /// Strictly rising ends of slices, the last one the stream's.
    func randomCut(_ noise: inout Noise) -> [Int] {
        let pieces = 1 + noise.integer(below: 6)
        return Set((0..<pieces).map { _ in 1 + noise.integer(below: length) } + [length]).sorted()
    }

    /// Document of every token, from the stream's start: 0 before the first bos.
    var documents: [Int] {
        var document = 0
        return (0..<length).map { t in
            if bos?[t] == true { document += 1 }
            return document
        }
    }
}
