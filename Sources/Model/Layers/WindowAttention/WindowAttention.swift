import KernelInterface
import Kernels
import Numerics

/// Attention over a window of keys that ends at the query, within the document: y = softmax(q . k) v (GECKO.md, SCA;
/// LLAMA.md), or f(q . k + b) v with a bias by distance (MEGA.md). A scale other than 1 is in the queries.
///
/// A span of tokens and all heads are worked on at a time. Scores exist for a block of rows and keys only, and what
/// lies behind the diagonal is neither computed nor multiplied, by register tiles, or by an engine's products where
/// there are none. The forward takes as many keys at a time as `keysAtOnce` says and goes on from the sums of those
/// before. The backward keeps only each row's maximum and sum of exponentials, and computes the scores again.
package struct WindowAttention: Sendable {
    package let heads: Int
    /// Heads of keys and values; query head h reads key head h / (heads / keyHeads).
    package let keyHeads: Int
    /// Features of a head's key, and of its value.
    package let keyDim: Int
    package let valueDim: Int
    /// Keys whose scores a row has at a time in the forward.
    let keysAtOnce: Int
    /// Query rows that the backward works on together.
    let backwardRows: Int
    /// Blocks of `backwardKeys` keys whose score gradients the backward holds at a time.
    let backwardBlocks: Int
    let hiding: KeyDropout?
    /// What weights are made of scores by.
    let weights: Weights
    /// Whether scores have a bias by distance.
    let isBiased: Bool

    /// f
    package enum Weights: Sendable {
        case softmax
        /// The normal distribution of mean 0.707107 and deviation 0.282095.
        case laplace
        /// max(s, 0)^2
        case squaredReLU
    }

    /// Hides keys from a query before the softmax (DropKey, as Gecko's reference code has it).
    package struct KeyDropout: Sendable {
        let rate: Double
        let layer: Int
        let chunk: Int

        package init(rate: Double, layer: Int, chunk: Int) {
            self.rate = rate
            self.layer = layer
            self.chunk = chunk
        }
    }

    /// Attention whose rows see at most so many chunks: their own, and those right before it.
    package init(heads: Int, keyDim: Int, valueDim: Int, chunk: Int, chunks: Int = 2, hiding: KeyDropout? = nil) {
        self.init(
            heads: heads, keyHeads: heads, keyDim: keyDim, valueDim: valueDim, window: chunks * chunk, chunk, hiding)
    }

    /// Attention over a window of any length, taken up in blocks.
    package init(heads: Int, keyHeads: Int, keyDim: Int, valueDim: Int) {
        self.init(
            heads: heads, keyHeads: keyHeads, keyDim: keyDim, valueDim: valueDim, window: Self.longestPass,
            TileProducts.depth, nil)
    }

    /// Attention of one head with a bias by distance, within chunks, or over a window of any length.
    package init(biased weights: Weights, keyDim: Int, valueDim: Int, chunk: Int?) {
        self.init(
            heads: 1, keyHeads: 1, keyDim: keyDim, valueDim: valueDim, window: chunk ?? Self.longestPass,
            chunk ?? TileProducts.depth, nil, biased: weights)
    }

    private init(
        heads: Int, keyHeads: Int, keyDim: Int, valueDim: Int, window: Int, _ rows: Int, _ hiding: KeyDropout?,
        biased: Weights? = nil
    ) {
        precondition(heads % keyHeads == 0, "each key head serves equally many query heads")
        self.heads = heads
        self.keyHeads = keyHeads
        self.keyDim = keyDim
        self.valueDim = valueDim
        self.hiding = hiding
        weights = biased ?? .softmax
        isBiased = biased != nil
        keysAtOnce = window
        backwardRows = min(TileProducts.depth, rows)
        backwardBlocks = min(16, (window + Self.backwardKeys - 1) / Self.backwardKeys)
    }

    /// Keys of a pass where windows have any length: their scores and panels stay in the cache.
    private static let longestPass = 1024

    /// Query heads that read one key head.
    var sharing: Int { heads / keyHeads }
    /// The row lengths of queries and of outputs, of all heads.
    var queryRow: Int { heads * keyDim }
    var outputRow: Int { heads * valueDim }

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
        /// [T, heads keyDim], without gaps.
        let q: UnsafePointer<Float>
        /// [n + T, keyHeads keyDim] and [n + T, keyHeads valueDim], from the window's first key on.
        let k, v: FloatRows
        /// [T, heads valueDim], without gaps.
        let y: UnsafeMutablePointer<Float>
        /// Each row's largest score and sum of exponentials [heads, T], kept for the backward; only a softmax has them.
        let top, total: UnsafeMutablePointer<Float>
        /// Where the bias of distance 0 is; that of distance d lies d places before it.
        let bias: UnsafePointer<Float>?

        package init(
            @_nonEphemeral q: UnsafePointer<Float>, k: FloatRows, v: FloatRows,
            @_nonEphemeral y: UnsafeMutablePointer<Float>, @_nonEphemeral top: UnsafeMutablePointer<Float>,
            @_nonEphemeral total: UnsafeMutablePointer<Float>, @_nonEphemeral bias: UnsafePointer<Float>? = nil
        ) {
            self.bias = bias
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
        /// dy, as y.
        let y: UnsafePointer<Float>
        /// As q; set.
        let q: UnsafeMutablePointer<Float>
        /// As k and v, those of the window's keys included; added to.
        let k, v: MutableFloatRows
        /// Laid out as the bias; added to.
        let bias: UnsafeMutablePointer<Float>?

        package init(
            @_nonEphemeral y: UnsafePointer<Float>, @_nonEphemeral q: UnsafeMutablePointer<Float>,
            k: MutableFloatRows, v: MutableFloatRows, @_nonEphemeral bias: UnsafeMutablePointer<Float>? = nil
        ) {
            self.bias = bias
            self.y = y
            self.q = q
            self.k = k
            self.v = v
        }
    }

    /// A slice under way: where, which keys are seen, and of what.
    struct Call {
        let context: SliceContext
        let window: AttentionWindow
        let operands: Operands

        var kernels: AttentionKernels { context.kernels.sequences.attention }
        var biased: BiasedAttentionKernels { context.kernels.sequences.biasedAttention }

        /// A block's rows of a head's outputs.
        func outputs(_ block: ScoreBlock, _ a: WindowAttention) -> MutableFloatRows {
            let row = block.rows.lowerBound - window.start
            return MutableFloatRows(
                operands.y + row * a.outputRow + block.head * a.valueDim, stride: a.outputRow)
        }

        /// Where a block's rows have what is kept of each row, [heads, T].
        func kept(_ block: ScoreBlock) -> Int { block.head * window.length + block.rows.lowerBound - window.start }
    }

    /// Scores of one query head: rows of queries by columns of keys, as positions in the stream.
    struct ScoreBlock {
        let head: Int
        let rows, keys: Range<Int>

        /// Columns that the first row sees; one more with each row.
        var seen: Int { rows.lowerBound - keys.lowerBound + 1 }
    }

    /// Hides a block's scores from the softmax: of other documents, and dropped keys.
    func hide(_ call: Call, _ block: ScoreBlock, in scores: MutableFloatRows) {
        let (context, window) = (call.context, call.window)
        let (row, key) = (block.rows.lowerBound, block.keys.lowerBound)
        let extent = Extent(rows: block.rows.count, columns: block.keys.count)
        if window.hasBoundaries {
            window.documents.withUnsafeBufferPointer { d in
                let base = d.baseAddress!
                context.kernels.sequences.attention.maskDocuments(
                    MaskDocumentsArguments(
                        scores: scores, extent: extent, rowDocuments: base + (row - window.firstKey),
                        columnDocuments: base + (key - window.firstKey)))
            }
        }
        guard let hiding, hiding.rate > 0, let stream = context.dropout else { return }
        let generator = stream.key(layer: hiding.layer, site: DropoutSite.attentionWeights(head: block.head))
        // Word i of a query's stream belongs to the i-th key in its reach.
        let reach = 2 * hiding.chunk
        let firstKey = StreamCursor.windowStart(at: row, chunk: hiding.chunk)
        context.kernels.tokens.random.dropoutRows(
            DropoutArguments(
                y: scores, x: FloatRows(scores.base, stride: scores.stride), extent: extent,
                words: RandomWords(
                    key: RandomKey(word0: generator.x, word1: generator.y), first: row * reach + key - firstKey,
                    perRow: reach), threshold: Dropout.threshold(hiding.rate), scale: 1, dropped: -.infinity))
    }
}

extension SliceContext {
    /// For code that has looked whether there are tiles.
    var tile: MatrixTile {
        guard let tile = matrices.tile else { preconditionFailure("this matrix engine has no tiles") }
        return tile
    }
}
