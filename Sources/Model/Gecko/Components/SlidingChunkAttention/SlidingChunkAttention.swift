import KernelInterface
import Kernels
import Numerics

/// Sliding chunk attention (GECKO.md, SCA): softmax(q . k) v over the previous and the current chunk, causal, within
/// the document, scale 1.
///
/// A piece (a part of one chunk) and all heads are worked on at a time. Scores exist for a block of rows and keys only,
/// and what lies behind the diagonal is neither computed nor multiplied, by register tiles, or by an engine's products
/// where there are none. The backward keeps only each row's maximum and sum of exponentials, and computes the scores
/// again.
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

    /// Z and E: the row lengths of keys and values of all heads.
    var keyRow: Int { heads * keyDim }
    var valueRow: Int { heads * valueDim }

    package func workspace(workers: Int) -> Int {
        var forward = Carver(counting: ())
        _ = ForwardScratch(&forward, self, workers: workers)
        var backward = Carver(counting: ())
        _ = BackwardScratch(&backward, self, workers: workers)
        return max(forward.used, backward.used)
    }

    /// Columns of a panel at most; panels are padded to whole ones.
    static let widestPanel = 32
    static func padded(_ columns: Int) -> Int { (columns + widestPanel - 1) / widestPanel * widestPanel }
    /// Rows of a strip at most, so that the last strip of a block may be filled up.
    static let tallestStrip = 8
    static func stripped(_ rows: Int) -> Int { (rows + tallestStrip - 1) / tallestStrip * tallestStrip + tallestStrip }

    /// Hides scores [rows, keys] of one head from the softmax: of other documents, and dropped keys. `row` and `key`
    /// are positions in the stream.
    func hide(
        _ context: SliceContext, head: Int, row: Int, rows: Int, key: Int, keys: Int, in s: UnsafeMutablePointer<Float>,
        _ ld: Int
    ) {
        let plan = context.plan
        let scores = MutableFloatRows(s, stride: ld)
        let extent = Extent(rows: rows, columns: keys)
        if plan.hasBoundaries {
            plan.documents.withUnsafeBufferPointer { d in
                let base = d.baseAddress!
                context.kernels.attention.maskDocuments(
                    MaskDocumentsArguments(
                        scores: scores, extent: extent, rowDocuments: base + (row - plan.windowStart),
                        columnDocuments: base + (key - plan.windowStart)))
            }
        }
        guard dropRate > 0, let stream = context.dropout else { return }
        let generator = stream.key(layer: layer, site: DropoutSite.attentionWeights(head: head))
        // Word i of a query's stream belongs to the i-th key in its reach.
        let firstKey = StreamCursor.windowStart(at: row, chunk: chunk)
        context.kernels.random.dropoutRows(
            DropoutArguments(
                y: scores, x: FloatRows(s, stride: ld), extent: extent,
                words: RandomWords(
                    key: RandomKey(word0: generator.x, word1: generator.y), first: row * 2 * chunk + key - firstKey,
                    perRow: 2 * chunk), threshold: Dropout.threshold(dropRate), scale: 1, dropped: -.infinity))
    }
}

extension SliceContext {
    /// For code that has looked whether there are tiles.
    var tile: MatrixTile {
        guard let tile = matrices.tile else { preconditionFailure("this matrix engine has no tiles") }
        return tile
    }
}
