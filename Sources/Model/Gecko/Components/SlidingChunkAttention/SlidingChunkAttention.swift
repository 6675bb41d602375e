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

    /// What the forward of a slice reads and writes.
    package struct Operands {
        /// [T, Z].
        let q: UnsafePointer<Float>
        /// [n + T, Z] and [n + T, E], from the window's start on.
        let k, v: UnsafePointer<Float>
        /// [T, E].
        let y: UnsafeMutablePointer<Float>
        /// Each row's largest score and sum of exponentials [H, T], kept for the backward.
        let top, total: UnsafeMutablePointer<Float>

        package init(
            @_nonEphemeral q: UnsafePointer<Float>, @_nonEphemeral k: UnsafePointer<Float>,
            @_nonEphemeral v: UnsafePointer<Float>, @_nonEphemeral y: UnsafeMutablePointer<Float>,
            @_nonEphemeral top: UnsafeMutablePointer<Float>, @_nonEphemeral total: UnsafeMutablePointer<Float>
        ) {
            self.q = q
            self.k = k
            self.v = v
            self.y = y
            self.top = top
            self.total = total
        }
    }

    /// What the backward of a slice takes and gives, beside the forward's operands.
    package struct Gradients {
        /// dy [T, E].
        let y: UnsafePointer<Float>
        /// [T, Z]; set.
        let q: UnsafeMutablePointer<Float>
        /// [n + T, Z] and [n + T, E], the window's included; added to.
        let k, v: UnsafeMutablePointer<Float>

        package init(
            @_nonEphemeral y: UnsafePointer<Float>, @_nonEphemeral q: UnsafeMutablePointer<Float>,
            @_nonEphemeral k: UnsafeMutablePointer<Float>,
            @_nonEphemeral v: UnsafeMutablePointer<Float>
        ) {
            self.y = y
            self.q = q
            self.k = k
            self.v = v
        }
    }

    /// Scores of one head: rows of queries by columns of keys, as positions in the stream.
    struct ScoreBlock {
        let head: Int
        let rows, keys: Range<Int>
    }

    /// Hides a block's scores from the softmax: of other documents, and dropped keys.
    func hide(_ context: SliceContext, _ block: ScoreBlock, in scores: MutableFloatRows) {
        let plan = context.plan
        let (row, key) = (block.rows.lowerBound, block.keys.lowerBound)
        let extent = Extent(rows: block.rows.count, columns: block.keys.count)
        if plan.hasBoundaries {
            plan.documents.withUnsafeBufferPointer { d in
                let base = d.baseAddress!
                context.kernels.sequences.attention.maskDocuments(
                    MaskDocumentsArguments(
                        scores: scores, extent: extent, rowDocuments: base + (row - plan.windowStart),
                        columnDocuments: base + (key - plan.windowStart)))
            }
        }
        guard dropRate > 0, let stream = context.dropout else { return }
        let generator = stream.key(layer: layer, site: DropoutSite.attentionWeights(head: block.head))
        // Word i of a query's stream belongs to the i-th key in its reach.
        let firstKey = StreamCursor.windowStart(at: row, chunk: chunk)
        context.kernels.tokens.random.dropoutRows(
            DropoutArguments(
                y: scores, x: FloatRows(scores.base, stride: scores.stride), extent: extent,
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
