import Hardware
import Kernels
import Numerics

/// The same by whole products of the matrix engine, for CPUs without tiles worth having: a block of scores at a time,
/// with zeros where nothing is seen.
extension SlidingChunkAttention {
    /// Rows of dQ that a worker takes at a time.
    private static let queryRows = 64

    func forwardByProducts(_ context: SliceContext, _ o: Operands, _ f: ForwardScratch) {
        for piece in context.plan.pieces {
            let blocks = (piece.end - piece.start + Self.forwardRows - 1) / Self.forwardRows
            context.team.share(heads * blocks, as: .attention) { worker, items in
                let scores = f.rows(self, worker: worker).scores
                for item in items {
                    let first = piece.start + item % blocks * Self.forwardRows
                    let block = rows(of: piece, from: first, head: item / blocks)
                    attendByProducts(context, block, o, scores, on: worker)
                }
            }
        }
    }

    /// y = softmax(q k^T) v for some rows of a piece and one head.
    private func attendByProducts(
        _ context: SliceContext, _ block: ScoreBlock, _ o: Operands, _ scores: UnsafeMutablePointer<Float>,
        on worker: Int
    ) {
        let plan = context.plan
        let (head, rows) = (block.head, block.rows)
        let row = rows.lowerBound - plan.start
        let keys = block.keys.count
        let seen = rows.lowerBound - block.keys.lowerBound + 1
        let first = block.keys.lowerBound - plan.windowStart
        let out = o.y + row * valueRow + head * valueDim
        context.matrices.multiply(
            Product(
                rows: rows.count, columns: keys, depth: keyDim,
                Factor(o.q + row * keyRow + head * keyDim, stride: keyRow),
                Factor(o.k + first * keyRow + head * keyDim, stride: keyRow, transposed: true),
                to: Destination(scores, stride: scoreRow)),
            on: worker)
        hide(context, block, in: MutableFloatRows(scores, stride: scoreRow))
        let sums = o.total + head * plan.length + row
        context.kernels.sequences.attention.causalExponentials(
            CausalExponentialsArguments(
                scores: MutableFloatRows(scores, stride: scoreRow), extent: Extent(rows: rows.count, columns: keys),
                seen: seen, top: o.top + head * plan.length + row, total: sums))
        context.matrices.multiply(
            Product(
                rows: rows.count, columns: valueDim, depth: keys, Factor(scores, stride: scoreRow),
                Factor(o.v + first * valueRow + head * valueDim, stride: valueRow),
                to: Destination(out, stride: valueRow)),
            on: worker)
        context.kernels.sequences.attention.divideRows(
            MutableFloatRows(out, stride: valueRow), sums, Extent(rows: rows.count, columns: valueDim))
    }

    /// In the order of the backward by tiles: blocks of keys first, then rows of dQ, block of rows after block of rows.
    func backwardByProducts(_ context: SliceContext, _ o: Operands, _ g: Gradients, _ f: BackwardScratch) {
        let plan = context.plan
        for piece in plan.pieces {
            for first in stride(from: piece.start, to: piece.end, by: f.rows) {
                let turn = BackwardRows(piece, rows: first..<min(first + f.rows, piece.end))
                let (rows, blocks) = (turn.rows, turn.keyBlocks)
                context.team.share(heads, as: .attention) { _, heads in
                    for head in heads {
                        let out = (rows.lowerBound - plan.start) * valueRow + head * valueDim
                        context.kernels.sequences.attention.rowDots(
                            f.deltas + head * f.rows, FloatRows(g.y + out, stride: valueRow),
                            FloatRows(o.y + out, stride: valueRow), Extent(rows: rows.count, columns: valueDim))
                    }
                }
                context.team.share(heads * blocks, as: .attention) { worker, items in
                    for item in items {
                        keyGradientsByProducts(
                            context, turn.keys(item % blocks, head: item / blocks), o, g, f, on: worker)
                    }
                }
                queryGradientsByProducts(context, turn, o, g, f)
            }
        }
    }

    /// dK and dV of one block of keys and one head, and dS for the queries' turn.
    private func keyGradientsByProducts(
        _ context: SliceContext, _ block: KeyBlock, _ o: Operands, _ g: Gradients, _ f: BackwardScratch,
        on worker: Int
    ) {
        let plan = context.plan
        let ld = Self.backwardKeys
        let (head, rows, key, keys) = (block.head, block.rows, block.keys.lowerBound, block.keys.count)
        let (keyOffset, valueOffset) = offsets(row: key - plan.windowStart, head: head)
        // Rows before the block's first key see nothing of it.
        let start = firstRow(seeing: key, of: rows, grain: Self.tallestStrip)
        let count = rows.count - start
        let row = rows.lowerBound + start
        let (queryOffset, outputOffset) = offsets(row: row - plan.start, head: head)
        let scores = f.keys(self, worker: worker).scores
        let scoreGradients = scoreGradients(f, head: head, block: block.number) + start * ld
        let q = Factor(o.q + queryOffset, stride: keyRow)
        let dy = Factor(g.y + outputOffset, stride: valueRow)
        context.matrices.multiply(
            Product(
                rows: count, columns: keys, depth: keyDim, q,
                Factor(o.k + keyOffset, stride: keyRow, transposed: true), to: Destination(scores, stride: ld)),
            on: worker)
        context.matrices.multiply(
            Product(
                rows: count, columns: keys, depth: valueDim, dy,
                Factor(o.v + valueOffset, stride: valueRow, transposed: true),
                to: Destination(scoreGradients, stride: ld)),
            on: worker)
        hide(context, block.scores(from: start), in: MutableFloatRows(scores, stride: ld))
        let kept = head * plan.length + row - plan.start
        context.kernels.sequences.attention.causalSoftmaxBackward(
            CausalSoftmaxBackwardArguments(
                scores: scores, gradients: scoreGradients, stride: ld, extent: Extent(rows: count, columns: keys),
                seen: row - key + 1, top: o.top + kept, total: o.total + kept,
                delta: f.deltas + head * f.rows + start))
        context.matrices.multiply(
            Product(
                rows: keys, columns: valueDim, depth: count, Factor(scores, stride: ld, transposed: true), dy,
                to: Destination(g.v + valueOffset, stride: valueRow, adds: true)),
            on: worker)
        context.matrices.multiply(
            Product(
                rows: keys, columns: keyDim, depth: count, Factor(scoreGradients, stride: ld, transposed: true), q,
                to: Destination(g.k + keyOffset, stride: keyRow, adds: true)),
            on: worker)
    }

    /// dQ = dS K, block of keys by block of keys.
    private func queryGradientsByProducts(
        _ context: SliceContext, _ turn: BackwardRows, _ o: Operands, _ g: Gradients, _ f: BackwardScratch
    ) {
        let plan = context.plan
        let rows = turn.rows
        let strips = (rows.count + Self.queryRows - 1) / Self.queryRows
        context.team.share(heads * strips, as: .attention) { worker, items in
            for item in items {
                let head = item / strips
                let strip = item % strips * Self.queryRows
                let end = min(strip + Self.queryRows, rows.count)
                for block in 0..<turn.keyBlocks {
                    let key = turn.keyStart + block * Self.backwardKeys
                    let reach = min(Self.backwardKeys, rows.lowerBound + end - key)
                    if reach <= 0 { break }
                    let first = max(strip, firstRow(seeing: key, of: rows, grain: Self.tallestStrip))
                    let scoreGradients = scoreGradients(f, head: head, block: block) + first * Self.backwardKeys
                    context.matrices.multiply(
                        Product(
                            rows: end - first, columns: keyDim, depth: reach,
                            Factor(scoreGradients, stride: Self.backwardKeys),
                            Factor(o.k + offsets(row: key - plan.windowStart, head: head).key, stride: keyRow),
                            to: Destination(
                                g.q + offsets(row: rows.lowerBound + first - plan.start, head: head).key,
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
