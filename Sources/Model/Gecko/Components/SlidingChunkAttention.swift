import Hardware
import Numerics

/// Sliding chunk attention (GECKO.md, SCA): softmax(q . k) v over the previous and the current chunk, causal, within the document,
/// scale 1. Query rows go in tiles, so a worker holds `tile x 2C` scores and keys behind the tile are never computed.
///
/// The backward keeps only each row's maximum and sum of exponentials, and computes the scores again.
package struct SlidingChunkAttention {
    package let heads: Int
    package let keyDim: Int
    package let valueDim: Int
    package let chunk: Int
    /// Probability that a key is hidden from a query before the softmax (DropKey, as the reference code has it).
    package let dropRate: Double
    package let layer: Int

    package init(heads: Int, keyDim: Int, valueDim: Int, chunk: Int, dropRate: Double = 0, layer: Int = 0) {
        self.heads = heads
        self.keyDim = keyDim
        self.valueDim = valueDim
        self.chunk = chunk
        self.dropRate = dropRate
        self.layer = layer
    }

    /// Query rows of a tile.
    var tile: Int { min(chunk, chunk <= 256 ? 64 : 128) }
    private var scores: Int { tile * 2 * chunk }
    package func workspace(workers: Int) -> Int { workers * (2 * scores + tile) }

    private struct Tile {
        let rows: Range<Int>
        let keyStart: Int
    }

    private func tiles(_ piece: SlicePlan.Piece) -> [Tile] {
        stride(from: piece.start, to: piece.end, by: tile).map {
            Tile(rows: $0..<min($0 + tile, piece.end), keyStart: piece.keyStart)
        }
    }

    /// The scores of one tile and head, with documents and dropped keys masked.
    private func score(
        _ context: SliceContext, _ t: Tile, _ head: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>,
        into s: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        let Z = heads * keyDim
        let cols = t.rows.upperBound - t.keyStart
        MatrixProduct.serial(
            false, true, t.rows.count, cols, keyDim, q + (t.rows.lowerBound - plan.start) * Z + head * keyDim, Z,
            k + (t.keyStart - plan.windowStart) * Z + head * keyDim, Z, 0, s, 2 * chunk)
        if plan.hasBoundaries {
            plan.documents.withUnsafeBufferPointer { d in
                let base = d.baseAddress!
                context.kernels.maskDocuments(
                    s, 2 * chunk, t.rows.count, cols, base + (t.rows.lowerBound - plan.windowStart),
                    base + (t.keyStart - plan.windowStart))
            }
        }
        if dropRate > 0, let stream = context.dropout {
            let key = stream.key(layer: layer, site: 16 + head)
            context.kernels.dropoutRows(
                s, 2 * chunk, s, 2 * chunk, key.x, key.y, t.rows.lowerBound, 2 * chunk, Dropout.threshold(dropRate), 1,
                -.infinity, t.rows.count, cols)
        }
    }

    /// q [T, Z], k [n + T, Z], v [n + T, E] from the window's start on -> y [T, E]; top and total [H, T] are kept.
    package func forward(
        _ context: SliceContext, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
        y: UnsafeMutablePointer<Float>, top: UnsafeMutablePointer<Float>, total: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        let E = heads * valueDim
        let work = plan.pieces.flatMap(tiles)
        let each = 2 * scores + tile
        context.team.share(work.count * heads) { worker, items in
            let s = scratch + worker * each
            for item in items {
                let t = work[item / heads]
                let head = item % heads
                let row = t.rows.lowerBound - plan.start
                let cols = t.rows.upperBound - t.keyStart
                score(context, t, head, q: q, k: k, into: s)
                context.kernels.causalSoftmax(
                    s, 2 * chunk, t.rows.count, cols, t.rows.lowerBound - t.keyStart + 1,
                    top + head * plan.length + row, total + head * plan.length + row)
                MatrixProduct.serial(
                    false, false, t.rows.count, valueDim, cols, s, 2 * chunk,
                    v + (t.keyStart - plan.windowStart) * E + head * valueDim, E, 0, y + row * E + head * valueDim, E)
            }
        }
    }

    /// dP = dY V^T, dS by the softmax rule, dQ = dS K; dk += dS^T Q and dv += P^T dY [n + T, ..] (the window's keys and values
    /// included).
    ///
    /// Chunks two apart share no keys: even ones run side by side, then the odd ones, so every sum has one order.
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, y: UnsafePointer<Float>, q: UnsafePointer<Float>,
        k: UnsafePointer<Float>, v: UnsafePointer<Float>, top: UnsafePointer<Float>, total: UnsafePointer<Float>,
        dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        for parity in 0...1 {
            let pieces = plan.pieces.filter { $0.start / chunk % 2 == parity }
            context.team.share(pieces.count * heads) { worker, items in
                for item in items {
                    let head = item % heads
                    for t in tiles(pieces[item / heads]) {
                        backward(
                            context, t, head, dy: dy, y: y, q: q, k: k, v: v, top: top, total: total, dq: dq, dk: dk,
                            dv: dv, scratch: scratch + worker * (2 * scores + tile))
                    }
                }
            }
        }
    }

    private func backward(
        _ context: SliceContext, _ t: Tile, _ head: Int, dy: UnsafePointer<Float>, y: UnsafePointer<Float>,
        q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>, top: UnsafePointer<Float>,
        total: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>,
        dv: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        let Z = heads * keyDim
        let E = heads * valueDim
        let ld = 2 * chunk
        let s = scratch
        let dp = scratch + scores
        let delta = scratch + 2 * scores
        let row = t.rows.lowerBound - plan.start
        let key = t.keyStart - plan.windowStart
        let rows = t.rows.count
        let cols = t.rows.upperBound - t.keyStart
        let out = row * E + head * valueDim
        let values = key * E + head * valueDim
        score(context, t, head, q: q, k: k, into: s)
        MatrixProduct.serial(false, true, rows, cols, valueDim, dy + out, E, v + values, E, 0, dp, ld)
        context.kernels.rowDots(delta, dy + out, E, y + out, E, rows, valueDim)
        context.kernels.causalSoftmaxBackward(
            s, dp, ld, rows, cols, t.rows.lowerBound - t.keyStart + 1, top + head * plan.length + row,
            total + head * plan.length + row, delta)
        MatrixProduct.serial(
            false, false, rows, keyDim, cols, dp, ld, k + key * Z + head * keyDim, Z, 0, dq + row * Z + head * keyDim, Z
        )
        MatrixProduct.serial(
            true, false, cols, keyDim, rows, dp, ld, q + row * Z + head * keyDim, Z, 1, dk + key * Z + head * keyDim, Z)
        MatrixProduct.serial(true, false, cols, valueDim, rows, s, ld, dy + out, E, 1, dv + values, E)
    }
}
