import Hardware
import KernelInterface
import Kernels
import Numerics

extension SlidingChunkAttention {
    /// Query rows that are worked on together, and keys that a worker takes at a time.
    static let backwardRows = TileProducts.depth
    static let backwardKeys = 128

    /// A block of rows of all heads in the forms in which it is multiplied, for all workers; and a block of scores for
    /// each.
    struct BackwardScratch {
        /// [head][strip of rows]: left factors of the scores and of dP.
        let queries, gradients: UnsafeMutablePointer<Float>
        /// [head][panel][rows]: right factors of dK and dV.
        let queryPanels, gradientPanels: UnsafeMutablePointer<Float>
        /// [head][block of keys][panel][keys]: right factor of dQ.
        let keyPanels: UnsafeMutablePointer<Float>
        /// [head][block of keys][strip of rows]: dS, left factor of dQ.
        let scoreGradients: UnsafeMutablePointer<Float>
        /// [head][row]: sum of dy y.
        let deltas: UnsafeMutablePointer<Float>
        let workers: UnsafeMutablePointer<Float>
        let rows, keyBlocks, eachWorker: Int

        init(_ carver: inout Carver, _ a: SlidingChunkAttention, workers count: Int) {
            rows = min(backwardRows, a.chunk)
            keyBlocks = (2 * a.chunk + backwardKeys - 1) / backwardKeys
            let strips = stripped(rows)
            queries = carver.take(a.heads * strips * a.keyDim)
            gradients = carver.take(a.heads * strips * a.valueDim)
            queryPanels = carver.take(a.heads * rows * padded(a.keyDim))
            gradientPanels = carver.take(a.heads * rows * padded(a.valueDim))
            keyPanels = carver.take(a.heads * keyBlocks * backwardKeys * padded(a.keyDim))
            scoreGradients = carver.take(a.heads * keyBlocks * strips * backwardKeys)
            deltas = carver.take(a.heads * rows)
            var one = Carver(counting: ())
            _ = Keys(&one, a, rows: rows)
            eachWorker = one.used
            workers = carver.take(count * eachWorker)
        }

        func keys(_ a: SlidingChunkAttention, worker: Int) -> Keys {
            var carver = Carver(workers + worker * eachWorker)
            return Keys(&carver, a, rows: rows)
        }

        /// A worker's keys and values in panels, its scores and their gradients [rows, keys], and either of them in
        /// strips of keys.
        struct Keys {
            let keys, values, scores, gradients, strips: UnsafeMutablePointer<Float>

            init(_ carver: inout Carver, _ a: SlidingChunkAttention, rows: Int) {
                keys = carver.take(backwardKeys * a.keyDim)
                values = carver.take(backwardKeys * a.valueDim)
                scores = carver.take(rows * backwardKeys)
                gradients = carver.take(rows * backwardKeys)
                strips = carver.take(rows * stripped(backwardKeys))
            }
        }
    }

    /// What the backward of a slice reads and writes; shapes as in `forward`.
    struct Gradients {
        let dy, y, q, k, v, top, total: UnsafePointer<Float>
        let dq, dk, dv: UnsafeMutablePointer<Float>
    }

    /// dP = dY V^T, dS by the softmax rule, dQ = dS K; dk += dS^T Q and dv += P^T dY [n + T, ..] (the window's keys and
    /// values included).
    ///
    /// Workers share blocks of keys first (so that a key's gradient has one owner), then rows of dQ; blocks of rows
    /// come one after another. So every sum has one order.
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, y: UnsafePointer<Float>, q: UnsafePointer<Float>,
        k: UnsafePointer<Float>, v: UnsafePointer<Float>, top: UnsafePointer<Float>, total: UnsafePointer<Float>,
        dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>,
        scratch base: UnsafeMutablePointer<Float>
    ) {
        let g = Gradients(dy: dy, y: y, q: q, k: k, v: v, top: top, total: total, dq: dq, dk: dk, dv: dv)
        var carver = Carver(base)
        let f = BackwardScratch(&carver, self, workers: context.team.count)
        guard context.matrices.tile != nil else { return backwardByProducts(context, g, f) }
        for piece in context.plan.pieces {
            for first in stride(from: piece.start, to: piece.end, by: f.rows) {
                let rows = first..<min(first + f.rows, piece.end)
                let blocks = (rows.upperBound - piece.keyStart + Self.backwardKeys - 1) / Self.backwardKeys
                pack(context, piece, rows, blocks: blocks, g, f)
                context.team.share(heads * blocks, as: .attention) { worker, items in
                    let w = f.keys(self, worker: worker)
                    for item in items {
                        keyGradients(
                            context, piece, rows, head: item / blocks, block: item % blocks, g, f, w)
                    }
                }
                queryGradients(context, piece, rows, blocks: blocks, g, f)
            }
        }
    }

    private func pack(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ rows: Range<Int>, blocks: Int, _ g: Gradients,
        _ f: BackwardScratch
    ) {
        let plan = context.plan
        let tile = context.tile
        let strips = Self.stripped(f.rows)
        let row = rows.lowerBound - plan.start
        context.team.share(heads * (3 + blocks), as: .attention) { _, items in
            for item in items {
                let head = item / (3 + blocks)
                let q = g.q + row * keyRow + head * keyDim
                let out = row * valueRow + head * valueDim
                switch item % (3 + blocks) {
                case 0:
                    tile.packRows(f.queries + head * strips * keyDim, q, keyRow, rows.count, keyDim, tile.rows)
                    tile.packColumns(
                        f.queryPanels + head * f.rows * Self.padded(keyDim), q, keyRow, keyDim, rows.count,
                        tile.columns)
                case 1:
                    tile.packRows(
                        f.gradients + head * strips * valueDim, g.dy + out, valueRow, rows.count, valueDim, tile.rows)
                    context.kernels.attention.rowDots(
                        f.deltas + head * f.rows, FloatRows(g.dy + out, stride: valueRow),
                        FloatRows(g.y + out, stride: valueRow), Extent(rows: rows.count, columns: valueDim))
                case 2:
                    tile.packColumns(
                        f.gradientPanels + head * f.rows * Self.padded(valueDim), g.dy + out, valueRow, valueDim,
                        rows.count, tile.columns)
                case let i:
                    let key = piece.keyStart + (i - 3) * Self.backwardKeys
                    tile.packColumns(
                        keyPanels(f, head: head, block: i - 3),
                        g.k + (key - plan.windowStart) * keyRow + head * keyDim, keyRow, keyDim,
                        min(Self.backwardKeys, rows.upperBound - key), tile.columns)
                }
            }
        }
    }

    private func keyPanels(_ f: BackwardScratch, head: Int, block: Int) -> UnsafeMutablePointer<Float> {
        f.keyPanels + (head * f.keyBlocks + block) * Self.backwardKeys * Self.padded(keyDim)
    }

    func scoreGradients(_ f: BackwardScratch, head: Int, block: Int) -> UnsafeMutablePointer<Float> {
        f.scoreGradients + (head * f.keyBlocks + block) * Self.stripped(f.rows) * Self.backwardKeys
    }

    /// The first of the block's rows (a multiple of `grain` behind `rows`' beginning) that may see `key`.
    func firstRow(seeing key: Int, of rows: Range<Int>, grain: Int) -> Int {
        max(0, key - rows.lowerBound) / grain * grain
    }

    /// dK and dV of one block of keys and one head, and dS for the queries' turn.
    private func keyGradients(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ rows: Range<Int>, head: Int, block: Int, _ g: Gradients,
        _ f: BackwardScratch, _ w: BackwardScratch.Keys
    ) {
        let plan = context.plan
        let tile = context.tile
        let ld = Self.backwardKeys
        let key = piece.keyStart + block * Self.backwardKeys
        let keys = min(Self.backwardKeys, rows.upperBound - key)
        let held = key - plan.windowStart
        let keyWords = tile.words(keyDim)
        let valueWords = tile.words(valueDim)
        tile.packRows(w.keys, g.k + held * keyRow + head * keyDim, keyRow, keys, keyDim, tile.columns)
        tile.packRows(w.values, g.v + held * valueRow + head * valueDim, valueRow, keys, valueDim, tile.columns)

        // Whole strips, and whole words of rows for the sums over rows.
        let start = firstRow(seeing: key, of: rows, grain: tile.rows)
        let count = rows.count - start
        let q = f.queries + head * Self.stripped(f.rows) * keyDim
        let dy = f.gradients + head * Self.stripped(f.rows) * valueDim
        for column in stride(from: 0, to: keys, by: tile.columns) {
            let blind = firstRow(seeing: key + column, of: rows, grain: tile.rows)
            let width = min(tile.columns, keys - column)
            let corner = (blind - start) * ld + column
            tile.multiply(
                rows: rows.count - blind, columns: width, words: keyWords, q + blind * keyWords,
                w.keys + column * keyWords, to: Destination(w.scores + corner, stride: ld))
            tile.multiply(
                rows: rows.count - blind, columns: width, words: valueWords, dy + blind * valueWords,
                w.values + column * valueWords, to: Destination(w.gradients + corner, stride: ld))
        }
        let row = rows.lowerBound + start
        hide(context, head: head, row: row, rows: count, key: key, keys: keys, in: w.scores, ld)
        let kept = head * plan.length + row - plan.start
        context.kernels.attention.causalSoftmaxBackward(
            CausalSoftmaxBackwardArguments(
                scores: w.scores, gradients: w.gradients, stride: ld, extent: Extent(rows: count, columns: keys),
                seen: row - key + 1, top: g.top + kept, total: g.total + kept,
                delta: f.deltas + head * f.rows + start))

        sumOverRows(
            tile, w.scores, start: start, rows: rows, key: key, keys: keys, w.strips,
            panels: f.gradientPanels + head * f.rows * Self.padded(valueDim), width: valueDim,
            to: g.dv + held * valueRow + head * valueDim, valueRow)
        sumOverRows(
            tile, w.gradients, start: start, rows: rows, key: key, keys: keys, w.strips,
            panels: f.queryPanels + head * f.rows * Self.padded(keyDim), width: keyDim,
            to: g.dk + held * keyRow + head * keyDim, keyRow)
        tile.packRows(
            scoreGradients(f, head: head, block: block) + start * tile.words(keys), w.gradients,
            ld, count, keys, tile.rows)
    }

    /// out [keys, width] += S^T X for scores S [rows, keys] and X in panels.
    private func sumOverRows(
        _ tile: MatrixTile, _ s: UnsafePointer<Float>, start: Int, rows: Range<Int>, key: Int, keys: Int,
        _ strips: UnsafeMutablePointer<Float>, panels: UnsafePointer<Float>, width: Int,
        to out: UnsafeMutablePointer<Float>, _ ldo: Int
    ) {
        let count = rows.count - start
        let words = tile.words(count)
        let panelWords = tile.words(rows.count)
        tile.packColumns(strips, s, Self.backwardKeys, keys, count, tile.rows)
        for column in stride(from: 0, to: width, by: tile.columns) {
            let panel = panels + column * panelWords
            for strip in stride(from: 0, to: keys, by: tile.rows) {
                // Rows before the strip's first key add nothing.
                let skipped = (firstRow(seeing: key + strip, of: rows, grain: tile.step) - start) / tile.step
                tile.multiply(
                    words - skipped, strips + strip * words + skipped * tile.rows,
                    panel + (start / tile.step + skipped) * tile.columns, out + strip * ldo + column, ldo,
                    min(tile.rows, keys - strip), min(tile.columns, width - column), 1, true)
            }
        }
    }

    /// dQ = dS K, block of keys by block of keys.
    private func queryGradients(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ rows: Range<Int>, blocks: Int, _ g: Gradients,
        _ f: BackwardScratch
    ) {
        let tile = context.tile
        let strips = (rows.count + tile.rows - 1) / tile.rows
        context.team.share(heads * strips, as: .attention) { _, items in
            for item in items {
                let head = item / strips
                let strip = item % strips * tile.rows
                let height = min(tile.rows, rows.count - strip)
                let dq = g.dq + (rows.lowerBound - context.plan.start + strip) * keyRow + head * keyDim
                for block in 0..<blocks {
                    let key = piece.keyStart + block * Self.backwardKeys
                    let keys = min(Self.backwardKeys, rows.upperBound - key)
                    let reach = min(keys, rows.lowerBound + strip + height - key)
                    if reach <= 0 { break }
                    let words = tile.words(keys)
                    for column in stride(from: 0, to: keyDim, by: tile.columns) {
                        tile.multiply(
                            tile.words(reach),
                            scoreGradients(f, head: head, block: block) + strip * words,
                            keyPanels(f, head: head, block: block) + column * words, dq + column, keyRow, height,
                            min(tile.columns, keyDim - column), 1, block > 0)
                    }
                }
            }
        }
    }
}
