import Hardware
import Kernels
import Numerics

/// The same by whole products of the matrix engine, for CPUs without tiles worth having: a block of scores at a time,
/// with zeros where nothing is seen.
extension SlidingChunkAttention {
    /// What the forward of a slice reads and writes; shapes as in `forward`.
    struct Operands {
        let q, k, v: UnsafePointer<Float>
        let y, top, total: UnsafeMutablePointer<Float>
    }

    /// Rows of dQ that a worker takes at a time.
    private static let queryRows = 64

    func forwardByProducts(_ context: SliceContext, _ o: Operands, _ f: ForwardScratch) {
        for piece in context.plan.pieces {
            let blocks = (piece.end - piece.start + Self.forwardRows - 1) / Self.forwardRows
            context.team.share(heads * blocks, as: .attention) { worker, items in
                let scores = f.rows(self, worker: worker).scores
                for item in items {
                    let first = piece.start + item % blocks * Self.forwardRows
                    attendByProducts(
                        context, piece, head: item / blocks, rows: first..<min(first + Self.forwardRows, piece.end), o,
                        scores, on: worker)
                }
            }
        }
    }

    /// y = softmax(q k^T) v for some rows of a piece and one head.
    private func attendByProducts(
        _ context: SliceContext, _ piece: SlicePlan.Piece, head: Int, rows: Range<Int>, _ o: Operands,
        _ scores: UnsafeMutablePointer<Float>, on worker: Int
    ) {
        let plan = context.plan
        let row = rows.lowerBound - plan.start
        // Keys in reach of the last row; row t sees the first `seen + t`.
        let keys = rows.upperBound - piece.keyStart
        let seen = rows.lowerBound - piece.keyStart + 1
        let first = piece.keyStart - plan.windowStart
        let out = o.y + row * valueRow + head * valueDim
        context.matrices.multiply(
            Product(
                rows: rows.count, columns: keys, depth: keyDim,
                Factor(o.q + row * keyRow + head * keyDim, stride: keyRow),
                Factor(o.k + first * keyRow + head * keyDim, stride: keyRow, transposed: true),
                to: Destination(scores, stride: scoreRow)),
            on: worker)
        hide(
            context, head: head, row: rows.lowerBound, rows: rows.count, key: piece.keyStart, keys: keys, in: scores,
            scoreRow)
        let sums = o.total + head * plan.length + row
        context.kernels.attention.causalExponentials(
            CausalExponentialsArguments(
                scores: MutableFloatRows(scores, stride: scoreRow), extent: Extent(rows: rows.count, columns: keys),
                seen: seen, top: o.top + head * plan.length + row, total: sums))
        context.matrices.multiply(
            Product(
                rows: rows.count, columns: valueDim, depth: keys, Factor(scores, stride: scoreRow),
                Factor(o.v + first * valueRow + head * valueDim, stride: valueRow),
                to: Destination(out, stride: valueRow)),
            on: worker)
        context.kernels.attention.divideRows(
            MutableFloatRows(out, stride: valueRow), sums, Extent(rows: rows.count, columns: valueDim))
    }

    /// In the order of the backward by tiles: blocks of keys first, then rows of dQ, block of rows after block of rows.
    func backwardByProducts(_ context: SliceContext, _ g: Gradients, _ f: BackwardScratch) {
        let plan = context.plan
        for piece in plan.pieces {
            for first in stride(from: piece.start, to: piece.end, by: f.rows) {
                let rows = first..<min(first + f.rows, piece.end)
                let blocks = (rows.upperBound - piece.keyStart + Self.backwardKeys - 1) / Self.backwardKeys
                context.team.share(heads, as: .attention) { _, heads in
                    for head in heads {
                        let out = (rows.lowerBound - plan.start) * valueRow + head * valueDim
                        context.kernels.attention.rowDots(
                            f.deltas + head * f.rows, FloatRows(g.dy + out, stride: valueRow),
                            FloatRows(g.y + out, stride: valueRow), Extent(rows: rows.count, columns: valueDim))
                    }
                }
                context.team.share(heads * blocks, as: .attention) { worker, items in
                    for item in items {
                        keyGradientsByProducts(
                            context, piece, rows, head: item / blocks, block: item % blocks, g, f, on: worker)
                    }
                }
                queryGradientsByProducts(context, piece, rows, blocks: blocks, g, f)
            }
        }
    }

    /// dK and dV of one block of keys and one head, and dS for the queries' turn.
    private func keyGradientsByProducts(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ rows: Range<Int>, head: Int, block: Int, _ g: Gradients,
        _ f: BackwardScratch, on worker: Int
    ) {
        let plan = context.plan
        let ld = Self.backwardKeys
        let key = piece.keyStart + block * Self.backwardKeys
        let keys = min(Self.backwardKeys, rows.upperBound - key)
        let (keyOffset, valueOffset) = offsets(row: key - plan.windowStart, head: head)
        // Rows before the block's first key see nothing of it.
        let start = firstRow(seeing: key, of: rows, grain: Self.tallestStrip)
        let count = rows.count - start
        let row = rows.lowerBound + start
        let (queryOffset, outputOffset) = offsets(row: row - plan.start, head: head)
        let scores = f.keys(self, worker: worker).scores
        let scoreGradients = scoreGradients(f, head: head, block: block) + start * ld
        let q = Factor(g.q + queryOffset, stride: keyRow)
        let dy = Factor(g.dy + outputOffset, stride: valueRow)
        context.matrices.multiply(
            Product(
                rows: count, columns: keys, depth: keyDim, q,
                Factor(g.k + keyOffset, stride: keyRow, transposed: true), to: Destination(scores, stride: ld)),
            on: worker)
        context.matrices.multiply(
            Product(
                rows: count, columns: keys, depth: valueDim, dy,
                Factor(g.v + valueOffset, stride: valueRow, transposed: true),
                to: Destination(scoreGradients, stride: ld)),
            on: worker)
        hide(context, head: head, row: row, rows: count, key: key, keys: keys, in: scores, ld)
        let kept = head * plan.length + row - plan.start
        context.kernels.attention.causalSoftmaxBackward(
            CausalSoftmaxBackwardArguments(
                scores: scores, gradients: scoreGradients, stride: ld, extent: Extent(rows: count, columns: keys),
                seen: row - key + 1, top: g.top + kept, total: g.total + kept,
                delta: f.deltas + head * f.rows + start))
        context.matrices.multiply(
            Product(
                rows: keys, columns: valueDim, depth: count, Factor(scores, stride: ld, transposed: true), dy,
                to: Destination(g.dv + valueOffset, stride: valueRow, adds: true)),
            on: worker)
        context.matrices.multiply(
            Product(
                rows: keys, columns: keyDim, depth: count, Factor(scoreGradients, stride: ld, transposed: true), q,
                to: Destination(g.dk + keyOffset, stride: keyRow, adds: true)),
            on: worker)
    }

    /// dQ = dS K, block of keys by block of keys.
    private func queryGradientsByProducts(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ rows: Range<Int>, blocks: Int, _ g: Gradients,
        _ f: BackwardScratch
    ) {
        let plan = context.plan
        let strips = (rows.count + Self.queryRows - 1) / Self.queryRows
        context.team.share(heads * strips, as: .attention) { worker, items in
            for item in items {
                let head = item / strips
                let strip = item % strips * Self.queryRows
                let end = min(strip + Self.queryRows, rows.count)
                for block in 0..<blocks {
                    let key = piece.keyStart + block * Self.backwardKeys
                    let reach = min(Self.backwardKeys, rows.lowerBound + end - key)
                    if reach <= 0 { break }
                    let first = max(strip, firstRow(seeing: key, of: rows, grain: Self.tallestStrip))
                    let scoreGradients = scoreGradients(f, head: head, block: block) + first * Self.backwardKeys
                    context.matrices.multiply(
                        Product(
                            rows: end - first, columns: keyDim, depth: reach,
                            Factor(scoreGradients, stride: Self.backwardKeys),
                            Factor(g.k + offsets(row: key - plan.windowStart, head: head).key, stride: keyRow),
                            to: Destination(
                                g.dq + offsets(row: rows.lowerBound + first - plan.start, head: head).key,
                                stride: keyRow, adds: block > 0)),
                        on: worker)
                }
            }
        }
    }

    /// Where a head's part of a row begins among keys or queries, and among values or outputs.
    private func offsets(row: Int, head: Int) -> (key: Int, value: Int) {
        (row * keyRow + head * keyDim, row * valueRow + head * valueDim)
    }
}
