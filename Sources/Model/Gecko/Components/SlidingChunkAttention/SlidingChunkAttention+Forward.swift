import Hardware
import KernelInterface
import Kernels
import Numerics

extension SlidingChunkAttention {
    /// From one row of scores to the next: a line more than 2C, so that the rows of a tile don't fall into one set of
    /// the cache.
    var scoreRow: Int { 2 * chunk + FloatBuffer.alignment }

    /// Query rows whose scores a worker holds at a time.
    static let forwardRows = 64

    /// Keys and values of a piece in panels, for all workers; and a block of scores for each.
    struct ForwardScratch {
        /// [head][panel of keys][dz]: right factor of the scores.
        let keys: UnsafeMutablePointer<Float>
        /// [head][pass of keys][panel of values][keys]: right factor of the output.
        let values: UnsafeMutablePointer<Float>
        let workers: UnsafeMutablePointer<Float>
        let keysPerHead, valuesPerHead, eachWorker: Int

        init(_ carver: inout Carver, _ a: SlidingChunkAttention, workers count: Int) {
            keysPerHead = padded(2 * a.chunk) * a.keyDim
            valuesPerHead = 2 * a.chunk * padded(a.valueDim)
            keys = carver.take(a.heads * keysPerHead)
            values = carver.take(a.heads * valuesPerHead)
            var one = Carver(counting: ())
            _ = Rows(&one, a)
            eachWorker = one.used
            workers = carver.take(count * eachWorker)
        }

        func rows(_ a: SlidingChunkAttention, worker: Int) -> Rows {
            var carver = Carver(workers + worker * eachWorker)
            return Rows(&carver, a)
        }

        /// A worker's queries and probabilities in strips, and its scores.
        struct Rows {
            let queries, probabilities, scores: UnsafeMutablePointer<Float>

            init(_ carver: inout Carver, _ a: SlidingChunkAttention) {
                let strips = stripped(forwardRows)
                queries = carver.take(strips * a.keyDim)
                probabilities = carver.take(strips * 2 * a.chunk)
                scores = carver.take(forwardRows * a.scoreRow)
            }
        }
    }

    /// y = softmax(q k^T) v, and what the backward needs of each row.
    package func forward(_ context: SliceContext, _ o: Operands, scratch base: UnsafeMutablePointer<Float>) {
        var carver = Carver(base)
        let f = ForwardScratch(&carver, self, workers: context.team.count)
        guard context.matrices.tile != nil else { return forwardByProducts(context, o, f) }
        for piece in context.plan.pieces {
            packKeysAndValues(context, piece, o, f)
            let blocks = (piece.end - piece.start + Self.forwardRows - 1) / Self.forwardRows
            context.team.share(heads * blocks, as: .attention) { worker, items in
                let w = f.rows(self, worker: worker)
                for item in items {
                    let first = piece.start + item % blocks * Self.forwardRows
                    attend(context, piece, rows(of: piece, from: first, head: item / blocks), o, f, w)
                }
            }
        }
    }

    /// Some rows of a piece with all keys in their reach: row t sees the first `seen + t`.
    func rows(of piece: SlicePlan.Piece, from first: Int, head: Int) -> ScoreBlock {
        let rows = first..<min(first + Self.forwardRows, piece.end)
        return ScoreBlock(head: head, rows: rows, keys: piece.keyStart..<rows.upperBound)
    }

    private func packKeysAndValues(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ o: Operands, _ f: ForwardScratch
    ) {
        let tile = context.tile
        let count = piece.end - piece.keyStart
        let first = piece.keyStart - context.plan.windowStart
        let passes = (count + TileProducts.depth - 1) / TileProducts.depth
        context.team.share(heads * (1 + passes), as: .attention) { _, items in
            for item in items {
                let head = item / (1 + passes)
                let pass = item % (1 + passes) - 1
                if pass < 0 {
                    tile.packRows(
                        f.keys + head * f.keysPerHead, o.k + first * keyRow + head * keyDim, keyRow, count, keyDim,
                        tile.columns)
                } else {
                    let from = pass * TileProducts.depth
                    tile.packColumns(
                        f.values + head * f.valuesPerHead + from / tile.step * Self.padded(valueDim),
                        o.v + (first + from) * valueRow + head * valueDim, valueRow, valueDim,
                        min(TileProducts.depth, count - from), tile.columns)
                }
            }
        }
    }

    /// y = softmax(q k^T) v for some rows of a piece and one head.
    private func attend(
        _ context: SliceContext, _ piece: SlicePlan.Piece, _ block: ScoreBlock, _ o: Operands, _ f: ForwardScratch,
        _ w: ForwardScratch.Rows
    ) {
        let plan = context.plan
        let tile = context.tile
        let (head, rows) = (block.head, block.rows)
        let ld = scoreRow
        let row = rows.lowerBound - plan.start
        let cols = block.keys.count
        let seen = rows.lowerBound - block.keys.lowerBound + 1
        let keyWords = tile.words(keyDim)
        let out = o.y + row * valueRow + head * valueDim

        tile.packRows(w.queries, o.q + row * keyRow + head * keyDim, keyRow, rows.count, keyDim, tile.rows)
        for key in stride(from: 0, to: cols, by: tile.columns) {
            // Strips that end before this panel's first key see nothing of it.
            let blind = max(0, key - seen + 1) / tile.rows * tile.rows
            tile.multiply(
                rows: rows.count - blind, columns: min(tile.columns, cols - key), words: keyWords,
                w.queries + blind * keyWords, f.keys + head * f.keysPerHead + key * keyWords,
                to: Destination(w.scores + blind * ld + key, stride: ld))
        }
        let scores = MutableFloatRows(w.scores, stride: ld)
        hide(context, block, in: scores)
        let sums = o.total + head * plan.length + row
        context.kernels.sequences.attention.causalExponentials(
            CausalExponentialsArguments(
                scores: scores, extent: Extent(rows: rows.count, columns: cols),
                seen: seen, top: o.top + head * plan.length + row, total: sums))

        tile.packRows(w.probabilities, w.scores, ld, rows.count, cols, tile.rows)
        let words = tile.words(cols)
        for pass in stride(from: 0, to: cols, by: TileProducts.depth) {
            let passKeys = min(TileProducts.depth, piece.end - piece.keyStart - pass)
            let passWords = tile.words(passKeys)
            let values = f.values + head * f.valuesPerHead + pass / tile.step * Self.padded(valueDim)
            for column in stride(from: 0, to: valueDim, by: tile.columns) {
                for strip in stride(from: 0, to: rows.count, by: tile.rows) {
                    // Up to the last key that the strip's last row sees.
                    let reach = min(cols, seen + strip + tile.rows - 1) - pass
                    if reach <= 0 { continue }
                    tile.multiply(
                        tile.words(min(reach, passKeys)),
                        w.probabilities + strip * words + pass / tile.step * tile.rows, values + column * passWords,
                        TileCells(
                            out + strip * valueRow + column, stride: valueRow, rows: min(tile.rows, rows.count - strip),
                            columns: min(tile.columns, valueDim - column)), 1, pass > 0)
                }
            }
        }
        context.kernels.sequences.attention.divideRows(
            MutableFloatRows(out, stride: valueRow), sums, Extent(rows: rows.count, columns: valueDim))
    }
}
