import Hardware
import KernelInterface
import Kernels
import Numerics

extension WindowAttention {
    /// From one row of scores to the next: a line more than there are keys, so that the rows of a tile don't fall into
    /// one set of the cache.
    var scoreRow: Int { keysAtOnce + FloatBuffer.alignment }

    /// Query rows whose scores a worker holds at a time.
    static let forwardRows = 64

    /// A pass' keys and values in panels, for all workers; and a block of scores for each.
    struct ForwardScratch {
        /// [key head][panel of keys][dz]: right factor of the scores.
        let keys: UnsafeMutablePointer<Float>
        /// [key head][part of keys][panel of values][keys]: right factor of the output.
        let values: UnsafeMutablePointer<Float>
        let workers: UnsafeMutablePointer<Float>
        let keysPerHead, valuesPerHead, eachWorker: Int

        init(_ carver: inout Carver, _ a: WindowAttention, workers count: Int) {
            keysPerHead = padded(a.keysAtOnce) * a.keyDim
            valuesPerHead = a.keysAtOnce * padded(a.valueDim)
            keys = carver.take(a.keyHeads * keysPerHead)
            values = carver.take(a.keyHeads * valuesPerHead)
            var one = Carver(counting: ())
            _ = Rows(&one, a)
            eachWorker = one.used
            workers = carver.take(count * eachWorker)
        }

        func rows(_ a: WindowAttention, worker: Int) -> Rows {
            var carver = Carver(workers + worker * eachWorker)
            return Rows(&carver, a)
        }

        /// A worker's queries and probabilities in strips, its scores, and what a pass multiplies the rows before by.
        struct Rows {
            let queries, probabilities, scores, factors: UnsafeMutablePointer<Float>

            init(_ carver: inout Carver, _ a: WindowAttention) {
                let strips = stripped(forwardRows)
                queries = carver.take(strips * a.keyDim)
                probabilities = carver.take(strips * a.keysAtOnce)
                scores = carver.take(forwardRows * a.scoreRow)
                factors = carver.take(forwardRows)
            }
        }
    }

    /// Keys of a span that are taken up together, by all its rows that see any of them.
    struct Pass {
        let span: AttentionWindow.Span
        let keys: Range<Int>

        /// Whether rows begin with it.
        var isFirst: Bool { keys.lowerBound == span.keyStart }
        /// The span's blocks of rows that see a key of it.
        var blocks: Range<Int> {
            let seeing = max(0, keys.lowerBound - span.start) / forwardRows
            return seeing..<(span.end - span.start + forwardRows - 1) / forwardRows
        }

        /// A block of rows and the keys in its reach.
        func scores(block: Int, head: Int) -> ScoreBlock {
            let first = span.start + block * forwardRows
            let rows = first..<min(first + forwardRows, span.end)
            return ScoreBlock(head: head, rows: rows, keys: keys.lowerBound..<min(keys.upperBound, rows.upperBound))
        }

        /// Whether it is the last one for a block of rows.
        func ends(_ block: ScoreBlock) -> Bool { keys.upperBound >= block.rows.upperBound }
    }

    /// y, and what the backward needs of each row.
    package func forward(
        _ context: SliceContext, _ window: AttentionWindow, _ o: Operands, scratch base: UnsafeMutablePointer<Float>
    ) {
        var carver = Carver(base)
        let f = ForwardScratch(&carver, self, workers: context.team.count)
        let call = Call(context: context, window: window, operands: o)
        for span in window.spans {
            for key in stride(from: span.keyStart, to: span.end, by: keysAtOnce) {
                let pass = Pass(span: span, keys: key..<min(key + keysAtOnce, span.end))
                let blocks = pass.blocks
                if context.matrices.tile != nil { packKeysAndValues(call, pass, f) }
                context.team.share(heads * blocks.count, as: .attention) { worker, items in
                    let w = f.rows(self, worker: worker)
                    for item in items {
                        let block = blocks.lowerBound + item % blocks.count
                        let scores = pass.scores(block: block, head: item / blocks.count)
                        if context.matrices.tile != nil {
                            attend(call, pass, scores, f, w)
                        } else {
                            attendByProducts(call, pass, scores, w, on: worker)
                        }
                    }
                }
            }
        }
    }

    private func packKeysAndValues(_ call: Call, _ pass: Pass, _ f: ForwardScratch) {
        let (o, tile) = (call.operands, call.context.tile)
        let first = pass.keys.lowerBound - call.window.firstKey
        let parts = (pass.keys.count + TileProducts.depth - 1) / TileProducts.depth
        call.context.team.share(keyHeads * (1 + parts), as: .attention) { _, items in
            for item in items {
                let head = item / (1 + parts)
                let part = item % (1 + parts) - 1
                if part < 0 {
                    tile.packRows(
                        f.keys + head * f.keysPerHead, o.k.base + first * o.k.stride + head * keyDim, o.k.stride,
                        pass.keys.count, keyDim, tile.columns)
                } else {
                    let from = part * TileProducts.depth
                    tile.packColumns(
                        f.values + head * f.valuesPerHead + from / tile.step * Self.padded(valueDim),
                        o.v.base + (first + from) * o.v.stride + head * valueDim, o.v.stride, valueDim,
                        min(TileProducts.depth, pass.keys.count - from), tile.columns)
                }
            }
        }
    }

    /// Scores become weights: those of a softmax are exponentials, and what was summed before them is scaled to their
    /// maximum; others are what they are.
    func weigh(_ call: Call, _ pass: Pass, _ block: ScoreBlock, _ w: ForwardScratch.Rows) {
        let scores = MutableFloatRows(w.scores, stride: scoreRow)
        addBias(call, block, to: scores)
        hide(call, block, in: scores)
        let extent = Extent(rows: block.rows.count, columns: block.keys.count)
        switch weights {
        case .softmax: exponentials(call, pass, block, w, scores)
        case .laplace: call.biased.laplaceWeights(scores, extent, block.seen)
        case .squaredReLU: call.biased.squaredReLUWeights(scores, extent, block.seen)
        }
    }

    private func exponentials(
        _ call: Call, _ pass: Pass, _ block: ScoreBlock, _ w: ForwardScratch.Rows, _ scores: MutableFloatRows
    ) {
        let kept = call.kept(block)
        let a = CausalExponentialsArguments(
            scores: scores, extent: Extent(rows: block.rows.count, columns: block.keys.count), seen: block.seen,
            top: call.operands.top + kept, total: call.operands.total + kept)
        guard !pass.isFirst else { return call.kernels.causalExponentials(a) }
        call.kernels.continueCausalExponentials(a, w.factors)
        call.kernels.multiplyRows(
            call.outputs(block, self), w.factors, Extent(rows: block.rows.count, columns: valueDim))
    }

    /// y /= the sums of exponentials, when they are complete; other weights aren't normalised.
    func divide(_ call: Call, _ block: ScoreBlock) {
        guard case .softmax = weights else { return }
        call.kernels.divideRows(
            call.outputs(block, self), call.operands.total + call.kept(block),
            Extent(rows: block.rows.count, columns: valueDim))
    }

    /// Adds the weights times v for some rows of a span, some keys and one head; the rows' last keys make it whole.
    private func attend(
        _ call: Call, _ pass: Pass, _ block: ScoreBlock, _ f: ForwardScratch, _ w: ForwardScratch.Rows
    ) {
        let tile = call.context.tile
        let (head, rows) = (block.head, block.rows)
        let ld = scoreRow
        let row = rows.lowerBound - call.window.start
        let cols = block.keys.count
        let seen = block.seen
        let keyWords = tile.words(keyDim)
        let keyHead = head / sharing
        tile.packRows(
            w.queries, call.operands.q + row * queryRow + head * keyDim, queryRow, rows.count, keyDim, tile.rows)
        for key in stride(from: 0, to: cols, by: tile.columns) {
            // Strips that end before this panel's first key see nothing of it.
            let blind = max(0, key - seen + 1) / tile.rows * tile.rows
            tile.multiply(
                rows: rows.count - blind, columns: min(tile.columns, cols - key), words: keyWords,
                w.queries + blind * keyWords, f.keys + keyHead * f.keysPerHead + key * keyWords,
                to: Destination(w.scores + blind * ld + key, stride: ld))
        }
        weigh(call, pass, block, w)
        let weights = tile.left(
            rows: FloatRows(w.scores, stride: ld), count: rows.count, depth: cols, packed: w.probabilities)
        addValues(call, pass, block, f, weights)
        if pass.ends(block) { divide(call, block) }
    }

    /// out [rows, dv] += P V.
    private func addValues(
        _ call: Call, _ pass: Pass, _ block: ScoreBlock, _ f: ForwardScratch, _ weights: LeftFactor
    ) {
        let (tile, out) = (call.context.tile, call.outputs(block, self))
        let (rows, cols) = (block.rows.count, block.keys.count)
        for part in stride(from: 0, to: cols, by: TileProducts.depth) {
            let partKeys = min(TileProducts.depth, pass.keys.count - part)
            let partWords = tile.words(partKeys)
            let values =
                f.values + block.head / sharing * f.valuesPerHead + part / tile.step * Self.padded(valueDim)
            for column in stride(from: 0, to: valueDim, by: tile.columns) {
                for strip in stride(from: 0, to: rows, by: tile.rows) {
                    // Up to the last key that the strip's last row sees.
                    let reach = min(cols, block.seen + strip + tile.rows - 1) - part
                    if reach <= 0 { continue }
                    tile.multiply(
                        weights, row: strip, k: part, count: min(reach, partKeys), values + column * partWords,
                        to: TileCells(
                            out.base + strip * out.stride + column, stride: out.stride,
                            rows: min(tile.rows, rows - strip), columns: min(tile.columns, valueDim - column)),
                        adds: !pass.isFirst || part > 0)
                }
            }
        }
    }
}
