import Hardware
import KernelInterface
import Kernels
import Numerics

extension WindowAttention {
    /// Keys that a worker takes at a time.
    static let backwardKeys = 128

    /// A block of rows of all heads in the forms in which it is multiplied, for all workers; and a block of scores for
    /// each.
    struct BackwardScratch {
        /// [head][strip of rows]: left factors of the scores and of dP.
        let queries, gradients: UnsafeMutablePointer<Float>
        /// [head][panel][rows]: right factors of dK and dV.
        let queryPanels, gradientPanels: UnsafeMutablePointer<Float>
        /// [key head][block of keys][panel][keys]: right factor of dQ.
        let keyPanels: UnsafeMutablePointer<Float>
        /// [head][block of keys][row, or strip of rows]: dS, left factor of dQ.
        let scoreGradients: UnsafeMutablePointer<Float>
        /// [head][row]: sum of dy y.
        let deltas: UnsafeMutablePointer<Float>
        /// [key head][block of keys][diagonal]: sums of score gradients; empty without a bias.
        let biasSums: UnsafeMutablePointer<Float>
        let workers: UnsafeMutablePointer<Float>
        let eachWorker: Int

        init(_ carver: inout Carver, _ a: WindowAttention, workers count: Int) {
            let (rows, blocks) = (a.backwardRows, a.backwardBlocks)
            let strips = stripped(rows)
            queries = carver.take(a.heads * strips * a.keyDim)
            gradients = carver.take(a.heads * strips * a.valueDim)
            queryPanels = carver.take(a.heads * rows * padded(a.keyDim))
            gradientPanels = carver.take(a.heads * rows * padded(a.valueDim))
            keyPanels = carver.take(a.keyHeads * blocks * backwardKeys * padded(a.keyDim))
            scoreGradients = carver.take(a.heads * blocks * strips * backwardKeys)
            deltas = carver.take(a.heads * rows)
            biasSums = carver.take(a.isBiased ? a.keyHeads * blocks * a.diagonals : 0)
            var one = Carver(counting: ())
            _ = Keys(&one, a)
            eachWorker = one.used
            workers = carver.take(count * eachWorker)
        }

        func keys(_ a: WindowAttention, worker: Int) -> Keys {
            var carver = Carver(workers + worker * eachWorker)
            return Keys(&carver, a)
        }

        /// A worker's keys and values in panels, its scores and their gradients [rows, keys], and either of them in
        /// strips of keys.
        struct Keys {
            let keys, values, scores, gradients, strips: UnsafeMutablePointer<Float>

            init(_ carver: inout Carver, _ a: WindowAttention) {
                keys = carver.take(backwardKeys * a.keyDim)
                values = carver.take(backwardKeys * a.valueDim)
                scores = carver.take(a.backwardRows * backwardKeys)
                gradients = carver.take(a.backwardRows * backwardKeys)
                strips = carver.take(a.backwardRows * stripped(backwardKeys))
            }
        }
    }

    /// Some rows of a span, and some of the blocks of keys in their reach: those that are worked on together.
    struct BackwardTurn {
        let rows: Range<Int>
        /// The first key in reach of the rows.
        let keyStart: Int
        /// Numbers of blocks of keys, counted from `keyStart`.
        let blocks: Range<Int>

        /// Whether it is the rows' first.
        var isFirst: Bool { blocks.lowerBound == 0 }

        /// One block of keys, by its place among the turn's.
        func keys(_ place: Int) -> KeyBlock {
            let first = keyStart + (blocks.lowerBound + place) * backwardKeys
            return KeyBlock(place: place, rows: rows, keys: first..<min(first + backwardKeys, rows.upperBound))
        }
    }

    /// The turns of a span's rows, in order.
    func turns(_ span: AttentionWindow.Span, _ body: (BackwardTurn) -> Void) {
        for first in stride(from: span.start, to: span.end, by: backwardRows) {
            let rows = first..<min(first + backwardRows, span.end)
            let count = (rows.upperBound - span.keyStart + Self.backwardKeys - 1) / Self.backwardKeys
            for block in stride(from: 0, to: count, by: backwardBlocks) {
                let blocks = block..<min(block + backwardBlocks, count)
                body(BackwardTurn(rows: rows, keyStart: span.keyStart, blocks: blocks))
            }
        }
    }

    /// A block of keys that has one owner at a time, and the rows that add to its gradient; positions in the stream.
    struct KeyBlock {
        /// Among the turn's.
        let place: Int
        let rows, keys: Range<Int>

        /// A head's scores from a row on, counted from the first one.
        func scores(from row: Int, head: Int) -> ScoreBlock {
            ScoreBlock(head: head, rows: rows.dropFirst(row), keys: keys)
        }
    }

    /// dP = dY V^T, dS by the weights' rule, dQ = dS K; dk += dS^T Q and dv += P^T dY (the window's keys and values
    /// included), and the bias' gradient is added to. `o` is as `forward` left it.
    ///
    /// A key's gradient has one owner at a time, who takes the heads that read it in order; a row of dQ takes up blocks
    /// of keys in order; turns come one after another. So every sum has one order, however the work is shared.
    package func backward(
        _ context: SliceContext, _ window: AttentionWindow, _ o: Operands, _ g: Gradients,
        scratch base: UnsafeMutablePointer<Float>
    ) {
        var carver = Carver(base)
        let f = BackwardScratch(&carver, self, workers: context.team.count)
        let call = Call(context: context, window: window, operands: o)
        for span in window.spans {
            turns(span) { turn in
                if context.matrices.tile == nil { return backwardByProducts(call, turn, g, f) }
                pack(call, turn, g, f)
                if keyHeads % context.team.count == 0 {
                    shareHeads(call, turn, g, f)
                } else {
                    shareBlocks(call, turn, g, f)
                }
                addBiasGradient(call, turn, g, f)
            }
        }
    }

    /// Each worker takes whole key heads, and what it has made of a block goes into dQ while it is in its cache.
    private func shareHeads(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        call.context.team.share(keyHeads, as: .attention) { worker, keyHeads in
            let w = f.keys(self, worker: worker)
            for keyHead in keyHeads {
                for place in 0..<turn.blocks.count {
                    clearDiagonals(f, keyHead: keyHead, place: place)
                    keyGradients(call, turn.keys(place), keyHead: keyHead, g, f, w)
                    for head in keyHead * sharing..<(keyHead + 1) * sharing {
                        addQueryGradients(call, turn, place: place, 0..<turn.rows.count, head: head, to: g.q, f)
                    }
                }
            }
        }
    }

    /// Workers share blocks of keys first, then rows of dQ.
    private func shareBlocks(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        let blocks = turn.blocks.count
        call.context.team.share(keyHeads * blocks, as: .attention) { worker, items in
            let w = f.keys(self, worker: worker)
            for item in items {
                clearDiagonals(f, keyHead: item / blocks, place: item % blocks)
                keyGradients(call, turn.keys(item % blocks), keyHead: item / blocks, g, f, w)
            }
        }
        queryGradients(call, turn, g, f)
    }

    /// The rows in all their forms, once, and the keys as dQ takes them.
    private func pack(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        let blocks = turn.blocks.count
        let forms = turn.isFirst ? 3 * heads : 0
        call.context.team.share(forms + keyHeads * blocks, as: .attention) { _, items in
            for item in items {
                if item < forms {
                    packRows(call, turn, form: item % 3, head: item / 3, g, f)
                } else {
                    let (head, place) = ((item - forms) / blocks, (item - forms) % blocks)
                    let keys = turn.keys(place).keys
                    let k = call.operands.k
                    call.context.tile.packColumns(
                        keyPanels(f, keyHead: head, place: place),
                        k.base + (keys.lowerBound - call.window.firstKey) * k.stride + head * keyDim, k.stride, keyDim,
                        keys.count, call.context.tile.columns)
                }
            }
        }
    }

    private func packRows(
        _ call: Call, _ turn: BackwardTurn, form: Int, head: Int, _ g: Gradients, _ f: BackwardScratch
    ) {
        let (o, tile, rows) = (call.operands, call.context.tile, turn.rows)
        let strips = Self.stripped(backwardRows)
        let row = rows.lowerBound - call.window.start
        let q = o.q + row * queryRow + head * keyDim
        let out = row * outputRow + head * valueDim
        switch form {
        case 0:
            tile.packRows(f.queries + head * strips * keyDim, q, queryRow, rows.count, keyDim, tile.rows)
            tile.packColumns(
                f.queryPanels + head * backwardRows * Self.padded(keyDim), q, queryRow, keyDim, rows.count,
                tile.columns)
        case 1:
            tile.packRows(
                f.gradients + head * strips * valueDim, g.y + out, outputRow, rows.count, valueDim, tile.rows)
            call.kernels.rowDots(
                f.deltas + head * backwardRows, FloatRows(g.y + out, stride: outputRow),
                FloatRows(o.y + out, stride: outputRow), Extent(rows: rows.count, columns: valueDim))
        default:
            tile.packColumns(
                f.gradientPanels + head * backwardRows * Self.padded(valueDim), g.y + out, outputRow, valueDim,
                rows.count, tile.columns)
        }
    }

    private func keyPanels(_ f: BackwardScratch, keyHead: Int, place: Int) -> UnsafeMutablePointer<Float> {
        f.keyPanels + (keyHead * backwardBlocks + place) * Self.backwardKeys * Self.padded(keyDim)
    }

    func scoreGradients(_ f: BackwardScratch, head: Int, place: Int) -> UnsafeMutablePointer<Float> {
        f.scoreGradients + (head * backwardBlocks + place) * Self.stripped(backwardRows) * Self.backwardKeys
    }

    /// The first of the block's rows (a multiple of `grain` behind `rows`' beginning) that may see `key`.
    func firstRow(seeing key: Int, of rows: Range<Int>, grain: Int) -> Int {
        max(0, key - rows.lowerBound) / grain * grain
    }

    /// dK and dV of one block of keys and one key head, and dS for the queries' turn.
    private func keyGradients(
        _ call: Call, _ block: KeyBlock, keyHead: Int, _ g: Gradients, _ f: BackwardScratch, _ w: BackwardScratch.Keys
    ) {
        let (o, tile) = (call.operands, call.context.tile)
        let keys = block.keys.count
        let held = block.keys.lowerBound - call.window.firstKey
        tile.packRows(
            w.keys, o.k.base + held * o.k.stride + keyHead * keyDim, o.k.stride, keys, keyDim, tile.columns)
        tile.packRows(
            w.values, o.v.base + held * o.v.stride + keyHead * valueDim, o.v.stride, keys, valueDim, tile.columns)
        for head in keyHead * sharing..<(keyHead + 1) * sharing {
            let start = firstRow(seeing: block.keys.lowerBound, of: block.rows, grain: tile.rows)
            let kept = scoreGradients(f, head: head, place: block.place)
            // Where tiles take rows as they lie, dS is made where the queries' turn looks for it.
            let gradients = tile.multiplyUnpacked == nil ? w.gradients : kept + start * Self.backwardKeys
            scores(call, block, head: head, gradients, f, w)
            sumOverRows(
                block, w.scores, w.strips,
                Panels(base: f.gradientPanels + head * backwardRows * Self.padded(valueDim), width: valueDim),
                to: Destination(g.v.base + held * g.v.stride + keyHead * valueDim, stride: g.v.stride, adds: true),
                by: tile)
            sumOverRows(
                block, gradients, w.strips,
                Panels(base: f.queryPanels + head * backwardRows * Self.padded(keyDim), width: keyDim),
                to: Destination(g.k.base + held * g.k.stride + keyHead * keyDim, stride: g.k.stride, adds: true),
                by: tile)
            if tile.multiplyUnpacked == nil {
                tile.packRows(
                    kept + start * tile.words(keys), gradients, Self.backwardKeys, block.rows.count - start, keys,
                    tile.rows)
            }
        }
    }

    /// P and dS of a block of keys for the rows of one head that may see a key of it.
    private func scores(
        _ call: Call, _ block: KeyBlock, head: Int, _ gradients: UnsafeMutablePointer<Float>, _ f: BackwardScratch,
        _ w: BackwardScratch.Keys
    ) {
        let tile = call.context.tile
        let ld = Self.backwardKeys
        let (rows, key, keys) = (block.rows, block.keys.lowerBound, block.keys.count)
        let keyWords = tile.words(keyDim)
        let valueWords = tile.words(valueDim)
        // Whole strips, and whole words of rows for the sums over rows.
        let start = firstRow(seeing: key, of: rows, grain: tile.rows)
        let q = f.queries + head * Self.stripped(backwardRows) * keyDim
        let dy = f.gradients + head * Self.stripped(backwardRows) * valueDim
        for column in stride(from: 0, to: keys, by: tile.columns) {
            let blind = firstRow(seeing: key + column, of: rows, grain: tile.rows)
            let width = min(tile.columns, keys - column)
            let corner = (blind - start) * ld + column
            tile.multiply(
                rows: rows.count - blind, columns: width, words: keyWords, q + blind * keyWords,
                w.keys + column * keyWords, to: Destination(w.scores + corner, stride: ld))
            tile.multiply(
                rows: rows.count - blind, columns: width, words: valueWords, dy + blind * valueWords,
                w.values + column * valueWords, to: Destination(gradients + corner, stride: ld))
        }
        let visible = block.scores(from: start, head: head)
        addBias(call, visible, to: MutableFloatRows(w.scores, stride: ld))
        hide(call, visible, in: MutableFloatRows(w.scores, stride: ld))
        weightsBackward(
            call, visible, MutableFloatRows(w.scores, stride: ld), MutableFloatRows(gradients, stride: ld),
            deltas: f.deltas + head * backwardRows + start)
        addDiagonals(call, visible, FloatRows(gradients, stride: ld), place: block.place, f)
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
        let panelWords = tile.words(rows.count)
        let left = tile.left(
            columns: FloatRows(s, stride: Self.backwardKeys), count: keys, depth: count, packed: strips)
        for column in stride(from: 0, to: x.width, by: tile.columns) {
            let panel = x.base + column * panelWords
            for strip in stride(from: 0, to: keys, by: tile.rows) {
                // Rows before the strip's first key add nothing.
                let skipped = firstRow(seeing: key + strip, of: rows, grain: tile.step) - start
                tile.multiply(
                    left, row: strip, k: skipped, count: count - skipped,
                    panel + (start + skipped) / tile.step * tile.columns,
                    to: TileCells(
                        out.base + strip * out.stride + column, stride: out.stride, rows: min(tile.rows, keys - strip),
                        columns: min(tile.columns, x.width - column)), adds: out.adds)
            }
        }
    }

    /// Strips of dQ that a worker takes together where there are enough: they share the keys in its cache.
    private static let queryStrips = 8

    /// dQ += dS K, block of keys by block of keys; the rows' first block begins it.
    private func queryGradients(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        let (tile, team) = (call.context.tile, call.context.team)
        let strips = (turn.rows.count + tile.rows - 1) / tile.rows
        let together = max(1, min(Self.queryStrips, heads * strips / (4 * team.count)))
        let groups = (strips + together - 1) / together
        team.share(heads * groups, as: .attention) { _, items in
            for item in items {
                let first = item % groups * together * tile.rows
                let rows = first..<min(first + together * tile.rows, turn.rows.count)
                for place in 0..<turn.blocks.count {
                    addQueryGradients(call, turn, place: place, rows, head: item / groups, to: g.q, f)
                }
            }
        }
    }

    /// One block of keys' part in some rows of dQ, counted from the turn's first. Strips that see none of it
    /// get nothing.
    private func addQueryGradients(
        _ call: Call, _ turn: BackwardTurn, place: Int, _ rows: Range<Int>, head: Int,
        to dq: UnsafeMutablePointer<Float>, _ f: BackwardScratch
    ) {
        let tile = call.context.tile
        let keys = turn.keys(place).keys
        let words = tile.words(keys.count)
        let left = tile.left(
            kept: scoreGradients(f, head: head, place: place), stride: Self.backwardKeys, depth: keys.count)
        let panels = keyPanels(f, keyHead: head / sharing, place: place)
        for column in stride(from: 0, to: keyDim, by: tile.columns) {
            for strip in stride(from: rows.lowerBound, to: rows.upperBound, by: tile.rows) {
                let height = min(tile.rows, rows.upperBound - strip)
                let reach = min(keys.count, turn.rows.lowerBound + strip + height - keys.lowerBound)
                if reach <= 0 { continue }
                let row = turn.rows.lowerBound - call.window.start + strip
                tile.multiply(
                    left, row: strip, k: 0, count: reach, panels + column * words,
                    to: TileCells(
                        dq + row * queryRow + head * keyDim + column, stride: queryRow, rows: height,
                        columns: min(tile.columns, keyDim - column)), adds: !turn.isFirst || place > 0)
            }
        }
    }
}
