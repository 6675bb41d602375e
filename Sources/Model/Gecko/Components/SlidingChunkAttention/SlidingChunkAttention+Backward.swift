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

    /// Some rows of a piece, all of whose blocks of keys are worked on before the next rows'.
    struct BackwardRows {
        let rows: Range<Int>
        /// The first key in reach.
        let keyStart: Int

        init(_ piece: SlicePlan.Piece, rows: Range<Int>) {
            self.rows = rows
            keyStart = piece.keyStart
        }

        var keyBlocks: Int { (rows.upperBound - keyStart + backwardKeys - 1) / backwardKeys }

        /// One block of keys and one head.
        func keys(_ number: Int, head: Int) -> KeyBlock {
            let first = keyStart + number * backwardKeys
            return KeyBlock(
                head: head, number: number, rows: rows, keys: first..<min(first + backwardKeys, rows.upperBound))
        }
    }

    /// A block of keys that has one owner at a time, and the rows that add to its gradient; positions in the stream.
    struct KeyBlock {
        let head, number: Int
        let rows, keys: Range<Int>

        /// Its scores from a row on, counted from the first one.
        func scores(from row: Int) -> ScoreBlock {
            ScoreBlock(head: head, rows: rows.dropFirst(row), keys: keys)
        }
    }

    /// dP = dY V^T, dS by the softmax rule, dQ = dS K; dk += dS^T Q and dv += P^T dY [n + T, ..] (the window's keys and
    /// values included). `o` is as `forward` left it.
    ///
    /// Workers share blocks of keys first (so that a key's gradient has one owner), then rows of dQ; blocks of rows
    /// come one after another. So every sum has one order.
    package func backward(
        _ context: SliceContext, _ o: Operands, _ g: Gradients, scratch base: UnsafeMutablePointer<Float>
    ) {
        var carver = Carver(base)
        let f = BackwardScratch(&carver, self, workers: context.team.count)
        guard context.matrices.tile != nil else { return backwardByProducts(context, o, g, f) }
        for piece in context.plan.pieces {
            for first in stride(from: piece.start, to: piece.end, by: f.rows) {
                let turn = BackwardRows(piece, rows: first..<min(first + f.rows, piece.end))
                let blocks = turn.keyBlocks
                pack(context, turn, o, g, f)
                context.team.share(heads * blocks, as: .attention) { worker, items in
                    let w = f.keys(self, worker: worker)
                    for item in items {
                        keyGradients(context, turn.keys(item % blocks, head: item / blocks), o, g, f, w)
                    }
                }
                queryGradients(context, turn, g, f)
            }
        }
    }

    private func pack(
        _ context: SliceContext, _ turn: BackwardRows, _ o: Operands, _ g: Gradients, _ f: BackwardScratch
    ) {
        let (rows, blocks) = (turn.rows, turn.keyBlocks)
        let plan = context.plan
        let tile = context.tile
        let strips = Self.stripped(f.rows)
        let row = rows.lowerBound - plan.start
        context.team.share(heads * (3 + blocks), as: .attention) { _, items in
            for item in items {
                let head = item / (3 + blocks)
                let q = o.q + row * keyRow + head * keyDim
                let out = row * valueRow + head * valueDim
                switch item % (3 + blocks) {
                case 0:
                    tile.packRows(f.queries + head * strips * keyDim, q, keyRow, rows.count, keyDim, tile.rows)
                    tile.packColumns(
                        f.queryPanels + head * f.rows * Self.padded(keyDim), q, keyRow, keyDim, rows.count,
                        tile.columns)
                case 1:
                    tile.packRows(
                        f.gradients + head * strips * valueDim, g.y + out, valueRow, rows.count, valueDim, tile.rows)
                    context.kernels.sequences.attention.rowDots(
                        f.deltas + head * f.rows, FloatRows(g.y + out, stride: valueRow),
                        FloatRows(o.y + out, stride: valueRow), Extent(rows: rows.count, columns: valueDim))
                case 2:
                    tile.packColumns(
                        f.gradientPanels + head * f.rows * Self.padded(valueDim), g.y + out, valueRow, valueDim,
                        rows.count, tile.columns)
                case let i:
                    let keys = turn.keys(i - 3, head: head).keys
                    tile.packColumns(
                        keyPanels(f, head: head, block: i - 3),
                        o.k + (keys.lowerBound - plan.windowStart) * keyRow + head * keyDim, keyRow, keyDim,
                        keys.count, tile.columns)
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
        _ context: SliceContext, _ block: KeyBlock, _ o: Operands, _ g: Gradients, _ f: BackwardScratch,
        _ w: BackwardScratch.Keys
    ) {
        let plan = context.plan
        let tile = context.tile
        let ld = Self.backwardKeys
        let (head, rows, key, keys) = (block.head, block.rows, block.keys.lowerBound, block.keys.count)
        let held = key - plan.windowStart
        let keyWords = tile.words(keyDim)
        let valueWords = tile.words(valueDim)
        tile.packRows(w.keys, o.k + held * keyRow + head * keyDim, keyRow, keys, keyDim, tile.columns)
        tile.packRows(w.values, o.v + held * valueRow + head * valueDim, valueRow, keys, valueDim, tile.columns)

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
        hide(context, block.scores(from: start), in: MutableFloatRows(w.scores, stride: ld))
        let kept = head * plan.length + row - plan.start
        context.kernels.sequences.attention.causalSoftmaxBackward(
            CausalSoftmaxBackwardArguments(
                scores: w.scores, gradients: w.gradients, stride: ld, extent: Extent(rows: count, columns: keys),
                seen: row - key + 1, top: o.top + kept, total: o.total + kept,
                delta: f.deltas + head * f.rows + start))

        sumOverRows(
            block, w.scores, w.strips,
            Panels(base: f.gradientPanels + head * f.rows * Self.padded(valueDim), width: valueDim),
            to: Destination(g.v + held * valueRow + head * valueDim, stride: valueRow, adds: true), by: tile)
        sumOverRows(
            block, w.gradients, w.strips,
            Panels(base: f.queryPanels + head * f.rows * Self.padded(keyDim), width: keyDim),
            to: Destination(g.k + held * keyRow + head * keyDim, stride: keyRow, adds: true), by: tile)
        tile.packRows(
            scoreGradients(f, head: head, block: block.number) + start * tile.words(keys), w.gradients,
            ld, count, keys, tile.rows)
    }

    /// [rows, width] in panels of the tile's columns.
    private struct Panels {
        let base: UnsafePointer<Float>
        let width: Int
    }

    /// out [keys, width] += S^T X for a block's scores S, from the first strip of rows on that may see a key.
    private func sumOverRows(
        _ block: KeyBlock, _ s: UnsafePointer<Float>, _ strips: UnsafeMutablePointer<Float>, _ x: Panels,
        to out: Destination, by tile: MatrixTile
    ) {
        let (rows, key, keys) = (block.rows, block.keys.lowerBound, block.keys.count)
        let start = firstRow(seeing: key, of: rows, grain: tile.rows)
        let count = rows.count - start
        let words = tile.words(count)
        let panelWords = tile.words(rows.count)
        tile.packColumns(strips, s, Self.backwardKeys, keys, count, tile.rows)
        for column in stride(from: 0, to: x.width, by: tile.columns) {
            let panel = x.base + column * panelWords
            for strip in stride(from: 0, to: keys, by: tile.rows) {
                // Rows before the strip's first key add nothing.
                let skipped = (firstRow(seeing: key + strip, of: rows, grain: tile.step) - start) / tile.step
                tile.multiply(
                    words - skipped, strips + strip * words + skipped * tile.rows,
                    panel + (start / tile.step + skipped) * tile.columns,
                    TileCells(
                        out.base + strip * out.stride + column, stride: out.stride, rows: min(tile.rows, keys - strip),
                        columns: min(tile.columns, x.width - column)), 1, out.adds)
            }
        }
    }

    /// dQ = dS K, block of keys by block of keys.
    private func queryGradients(_ context: SliceContext, _ turn: BackwardRows, _ g: Gradients, _ f: BackwardScratch) {
        let tile = context.tile
        let rows = turn.rows
        let strips = (rows.count + tile.rows - 1) / tile.rows
        context.team.share(heads * strips, as: .attention) { _, items in
            for item in items {
                let head = item / strips
                let strip = item % strips * tile.rows
                let height = min(tile.rows, rows.count - strip)
                let dq = g.q + (rows.lowerBound - context.plan.start + strip) * keyRow + head * keyDim
                for block in 0..<turn.keyBlocks {
                    let keys = turn.keys(block, head: head).keys
                    let reach = min(keys.count, rows.lowerBound + strip + height - keys.lowerBound)
                    if reach <= 0 { break }
                    let words = tile.words(keys.count)
                    for column in stride(from: 0, to: keyDim, by: tile.columns) {
                        tile.multiply(
                            tile.words(reach),
                            scoreGradients(f, head: head, block: block) + strip * words,
                            keyPanels(f, head: head, block: block) + column * words,
                            TileCells(
                                dq + column, stride: keyRow, rows: height,
                                columns: min(tile.columns, keyDim - column)), 1, block > 0)
                    }
                }
            }
        }
    }
}
