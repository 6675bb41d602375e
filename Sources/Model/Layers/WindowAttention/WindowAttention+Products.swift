import Hardware
import KernelInterface
import Kernels
import Numerics

/// The same by whole products of the matrix engine, for CPUs without tiles worth having: a block of scores at a time,
/// with zeros where nothing is seen.
extension WindowAttention {
    /// Rows of dQ that a worker takes at a time.
    private static let queryRows = 64

    /// Adds the weights times v for some rows of a span, some keys and one head; the rows' last keys make it whole.
    func attendByProducts(
        _ call: Call, _ pass: Pass, _ block: ScoreBlock, _ w: ForwardScratch.Rows, on worker: Int
    ) {
        let (o, matrices) = (call.operands, call.context.matrices)
        let rows = block.rows.count
        let keys = block.keys.count
        let row = block.rows.lowerBound - call.window.start
        let out = call.outputs(block, self)
        let (k, v) = self.held(call, block.keys, keyHead: block.head / sharing)
        matrices.multiply(
            Product(
                rows: rows, columns: keys, depth: keyDim,
                Factor(o.q + row * queryRow + block.head * keyDim, stride: queryRow),
                Factor(k.base, stride: k.stride, transposed: true), to: Destination(w.scores, stride: scoreRow)),
            on: worker)
        weigh(call, pass, block, w)
        matrices.multiply(
            Product(
                rows: rows, columns: valueDim, depth: keys, Factor(w.scores, stride: scoreRow),
                Factor(v.base, stride: v.stride), to: Destination(out.base, stride: out.stride, adds: !pass.isFirst)),
            on: worker)
        if pass.ends(block) { divide(call, block) }
    }

    /// A key head's keys and values of a block.
    private func held(_ call: Call, _ keys: Range<Int>, keyHead: Int) -> (keys: FloatRows, values: FloatRows) {
        let (k, v) = (call.operands.k, call.operands.v)
        let row = keys.lowerBound - call.window.firstKey
        return (
            FloatRows(k.base + row * k.stride + keyHead * keyDim, stride: k.stride),
            FloatRows(v.base + row * v.stride + keyHead * valueDim, stride: v.stride)
        )
    }

    /// In the order of the backward by tiles: blocks of keys first, then rows of dQ.
    func backwardByProducts(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        let team = call.context.team
        let (rows, blocks) = (turn.rows, turn.blocks.count)
        if turn.isFirst {
            team.share(heads, as: .attention) { _, heads in
                for head in heads {
                    let out = (rows.lowerBound - call.window.start) * outputRow + head * valueDim
                    call.kernels.rowDots(
                        f.deltas + head * backwardRows, FloatRows(g.y + out, stride: outputRow),
                        FloatRows(call.operands.y + out, stride: outputRow),
                        Extent(rows: rows.count, columns: valueDim))
                }
            }
        }
        team.share(keyHeads * blocks, as: .attention) { worker, items in
            let scores = f.keys(self, worker: worker).scores
            for item in items {
                let block = turn.keys(item % blocks)
                let keyHead = item / blocks
                clearDiagonals(f, keyHead: keyHead, place: block.place)
                for head in keyHead * sharing..<(keyHead + 1) * sharing {
                    keyGradientsByProducts(
                        call, block, head: head, g, ByProducts(scratch: f, scores: scores, worker: worker))
                }
            }
        }
        addBiasGradient(call, turn, g, f)
        queryGradientsByProducts(call, turn, g, f)
    }

    /// What a worker works in.
    private struct ByProducts {
        let scratch: BackwardScratch
        let scores: UnsafeMutablePointer<Float>
        let worker: Int
    }

    /// A head's share in dK and dV of one block of keys, and dS for the queries' turn.
    private func keyGradientsByProducts(
        _ call: Call, _ block: KeyBlock, head: Int, _ g: Gradients, _ w: ByProducts
    ) {
        let (o, f, matrices) = (call.operands, w.scratch, call.context.matrices)
        let ld = Self.backwardKeys
        let (key, keys) = (block.keys.lowerBound, block.keys.count)
        let keyHead = head / sharing
        let (k, v) = held(call, block.keys, keyHead: keyHead)
        // Rows before the block's first key see nothing of it.
        let start = firstRow(seeing: key, of: block.rows, grain: Self.tallestStrip)
        let visible = block.scores(from: start, head: head)
        let count = visible.rows.count
        let row = visible.rows.lowerBound - call.window.start
        let scoreGradients = scoreGradients(f, head: head, place: block.place) + start * ld
        let q = Factor(o.q + row * queryRow + head * keyDim, stride: queryRow)
        let dy = Factor(g.y + row * outputRow + head * valueDim, stride: outputRow)
        matrices.multiply(
            Product(
                rows: count, columns: keys, depth: keyDim, q, Factor(k.base, stride: k.stride, transposed: true),
                to: Destination(w.scores, stride: ld)),
            on: w.worker)
        matrices.multiply(
            Product(
                rows: count, columns: keys, depth: valueDim, dy, Factor(v.base, stride: v.stride, transposed: true),
                to: Destination(scoreGradients, stride: ld)),
            on: w.worker)
        addBias(call, visible, to: MutableFloatRows(w.scores, stride: ld))
        hide(call, visible, in: MutableFloatRows(w.scores, stride: ld))
        weightsBackward(
            call, visible, MutableFloatRows(w.scores, stride: ld), MutableFloatRows(scoreGradients, stride: ld),
            deltas: f.deltas + head * backwardRows + start)
        addDiagonals(call, visible, FloatRows(scoreGradients, stride: ld), place: block.place, f)
        let held = key - call.window.firstKey
        matrices.multiply(
            Product(
                rows: keys, columns: valueDim, depth: count, Factor(w.scores, stride: ld, transposed: true), dy,
                to: Destination(g.v.base + held * g.v.stride + keyHead * valueDim, stride: g.v.stride, adds: true)),
            on: w.worker)
        matrices.multiply(
            Product(
                rows: keys, columns: keyDim, depth: count, Factor(scoreGradients, stride: ld, transposed: true), q,
                to: Destination(g.k.base + held * g.k.stride + keyHead * keyDim, stride: g.k.stride, adds: true)),
            on: w.worker)
    }

    /// dQ += dS K, block of keys by block of keys; the rows' first block begins it.
    private func queryGradientsByProducts(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        let rows = turn.rows
        let strips = (rows.count + Self.queryRows - 1) / Self.queryRows
        call.context.team.share(heads * strips, as: .attention) { worker, items in
            for item in items {
                let head = item / strips
                let strip = item % strips * Self.queryRows
                let end = min(strip + Self.queryRows, rows.count)
                for place in 0..<turn.blocks.count {
                    let keys = turn.keys(place).keys
                    let reach = min(Self.backwardKeys, rows.lowerBound + end - keys.lowerBound)
                    if reach <= 0 { break }
                    let first = max(strip, firstRow(seeing: keys.lowerBound, of: rows, grain: Self.tallestStrip))
                    let scoreGradients =
                        scoreGradients(f, head: head, place: place) + first * Self.backwardKeys
                    let k = held(call, keys, keyHead: head / sharing).keys
                    let row = rows.lowerBound + first - call.window.start
                    call.context.matrices.multiply(
                        Product(
                            rows: end - first, columns: keyDim, depth: reach,
                            Factor(scoreGradients, stride: Self.backwardKeys), Factor(k.base, stride: k.stride),
                            to: Destination(
                                g.q + row * queryRow + head * keyDim, stride: queryRow,
                                adds: !turn.isFirst || place > 0)),
                        on: worker)
                }
            }
        }
    }
}
