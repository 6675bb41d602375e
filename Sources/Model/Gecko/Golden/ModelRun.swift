import Hardware
import Kernels
import Numerics

extension GeckoConfiguration {
    /// From the hyperparameters of a golden model, in the reference's names.
    init(_ h: Hyperparameters, packed: Bool) throws {
        self.init()
        layers = try h.int("num_layers")
        dim = try h.int("model_dim")
        zDim = try h.int("z_dim")
        valueDim = try h.int("value_dim")
        ffnDim = try h.int("ffn_dim")
        heads = try h.int("num_heads")
        ropeHeads = h.optionalInt("num_rope_heads") ?? heads
        emaDim = try h.int("cema_ndim")
        chunk = try h.int("chunk_size")
        normGroups = try h.int("norm_groups")
        vocabulary = try h.int("vocab_size")
        beta1 = try h.number("beta1")
        beta2 = try h.number("beta2")
        lnGroups = try h.int("ln_groups")
        eps = try h.number("eps")
        ropeBase = try h.number("rope_base")
        normAffine = try h.flag("norm_affine")
        swiglu = try h.flag("swiglu")
        twoHopResidual = try h.flag("two_hop_residual")
        rescaleNFFN = try h.flag("rescale_nffn")
        scaleEmbeddings = try h.flag("scale_emb")
        tieEmbeddings = try h.flag("share_emb")
        bosID = packed ? try h.int("bos_id") : nil
        try check(h)
    }

    /// Throws where sizes don't fit together.
    private func check(_ h: Hyperparameters) throws {
        let sizes = [layers, dim, zDim, valueDim, ffnDim, heads, emaDim, chunk, normGroups, vocabulary, lnGroups]
        guard sizes.allSatisfy({ $0 > 0 }), 0...heads ~= ropeHeads else {
            throw VerificationError(
                "\(h.file): '\(h.key)' should have sizes above 0 and at most num_heads heads that are rotated: \(self)")
        }
        for (whole, parts, what) in [
            (dim, normGroups, "model_dim by norm_groups"), (dim, lnGroups, "model_dim by ln_groups"),
            (zDim, heads, "z_dim by num_heads"), (valueDim, heads, "value_dim by num_heads"),
        ] where whole % parts != 0 {
            throw VerificationError("\(h.file): '\(h.key)' must divide \(what): \(whole) isn't a multiple of \(parts)")
        }
        guard ropeHeads == 0 || keyDim % 2 == 0 else {
            throw VerificationError("\(h.file): '\(h.key)' rotates heads with an odd number of features, \(keyDim)")
        }
    }
}

/// A whole model (or one layer) on one thread team, run over one row of tokens in slices of any length.
package final class ModelRun {
    package let configuration: GeckoConfiguration
    package let stage: Stage
    /// The masks of the sequence; nil switches dropout off.
    private let dropout: DropoutStream?
    private var slots: [FloatBuffer] = []
    private var slices: [GeckoSlice] = []
    private let gradientSlot: FloatBuffer
    private let output: FloatBuffer

    /// `longest`: tokens of the longest slice.
    package convenience init(
        _ c: GeckoConfiguration, longest: Int, team: Team, dropout: DropoutStream? = nil
    ) {
        self.init(c, longest: longest, TileProducts(team), dropout: dropout)
    }

    /// The same with an engine's matrix products, on its team.
    package init(
        _ c: GeckoConfiguration, parts: [ModelPart]? = nil, longest: Int, _ matrices: any MatrixProducts,
        dropout: DropoutStream? = nil
    ) {
        configuration = c
        self.dropout = dropout
        stage = Stage(
            of: c, parts ?? c.parts,
            shape: SliceShape(length: longest, aligned: false, workers: matrices.team.count), matrices: matrices)
        gradientSlot = FloatBuffer(stage.gradientSlotCount)
        output = FloatBuffer(longest * c.dim)
    }

    package func plan(_ cursor: StreamCursor, length: Int, bos: [Bool]?) -> SlicePlan {
        SlicePlan(configuration).moved(to: cursor, length: length, bos: bos)
    }

    /// Tokens that a state's window has room for.
    var window: Int { SliceGeometry(stage.shape, configuration).window }

    /// A stream's carried state.
    package final class Stream {
        package var cursor = GeckoCursor.start
        package let state: FloatBuffer

        package init(_ run: ModelRun) {
            state = FloatBuffer(run.stage.stateCount)
            run.stage.initialState(state.base)
        }
    }

    /// Runs one slice and returns its logits [T, V] and the sum of its token losses; keeps what the backward needs. A
    /// loss scale of 0 keeps the logits readable.
    package func forward(_ stream: Stream, tokens: [Int32], targets: [Int32]?, lossScale: Float) -> (
        logits: [Float], loss: Double
    ) {
        let bos = configuration.bosID.map { id in tokens.map { $0 == Int32(id) } }
        let slice = GeckoSlice(plan(stream.cursor, length: tokens.count, bos: bos))
        let slot = FloatBuffer(stage.slotCount)
        let exit = FloatBuffer(stage.stateCount)
        withContext(slice, tokens, targets, lossScale) {
            stage.forward($0, slot: slot.base, entry: stream.state.base, exit: exit.base, output: output.base)
        }
        stream.state.base.update(from: exit.base, count: exit.count)
        stream.cursor = slice.exit
        slots.append(slot)
        slices.append(slice)
        let head = stage.output!
        let logits = head.logits(stash: stage.stash(slot.base, of: stage.blocks.count - 1))
        let values =
            lossScale == 0
            ? Array(UnsafeBufferPointer(start: logits, count: tokens.count * configuration.vocabulary)) : []
        return (values, head.lossSum)
    }

    /// Backward over all slices run since the last call, last first; `visit` sees the state gradient before each
    /// slice's first token.
    package func backward(
        tokens: [Int32], targets: [Int32], lossScale: Float, visit: (StreamCursor, FloatBuffer) -> Void
    ) {
        let stateGradient = FloatBuffer(stage.stateCount)
        let gradient = FloatBuffer(stage.shape.length * configuration.dim)
        for (slice, slot) in zip(slices, slots).reversed() {
            let range = slice.start..<slice.start + slice.length
            withContext(slice, Array(tokens[range]), Array(targets[range]), lossScale) { context in
                stage.backward(
                    context,
                    .init(
                        slot: slot.base, gradientSlot: gradientSlot.base, gradient: gradient.base,
                        stateGradient: stateGradient.base))
                stage.accumulateWeightGradients(context, slot: slot.base, gradientSlot: gradientSlot.base)
            }
            var cursor = GeckoCursor.start
            cursor.position = slice.start
            visit(cursor, stateGradient)
        }
        forget()
    }

    /// Lends a context whose tokens and targets last as long as the body.
    private func withContext(
        _ slice: GeckoSlice, _ tokens: [Int32], _ targets: [Int32]?, _ lossScale: Float, _ body: (SliceContext) -> Void
    ) {
        tokens.withUnsafeBufferPointer { tokens in
            func run(_ targets: UnsafePointer<Int32>?) {
                body(
                    stage.context(
                        slice: slice, tokens: tokens.baseAddress, targets: targets, lossScale: lossScale,
                        dropout: dropout))
            }
            guard let targets else { return run(nil) }
            targets.withUnsafeBufferPointer { run($0.baseAddress) }
        }
    }

    package func forget() {
        slots = []
        slices = []
    }

    /// The real tensors of a state (or its gradient) at a position, in the golden data's names and layouts.
    package func named(_ state: FloatBuffer, at position: Int) -> [(name: String, values: [Float])] {
        let c = configuration
        let rows = position - StreamCursor.windowStart(at: position, chunk: c.chunk)
        var result: [(String, [Float])] = []
        func take(_ p: UnsafeMutablePointer<Float>, _ count: Int) -> [Float] {
            Array(UnsafeBufferPointer(start: p, count: count))
        }
        for (i, block) in stage.blocks.enumerated() {
            let base = stage.state(state.base, of: i)
            if block is GeckoLayer {
                let s = LayerState.at(base, c, window: window)
                let ema = (0..<c.dim).flatMap { d in
                    (0..<c.emaDim).flatMap { n in
                        (0..<2).map { s.ema[($0 * c.emaDim + n) * c.paddedDim + d] }
                    }
                }
                let parts: [(String, [Float])] = [
                    ("norm_mean", take(s.mean, c.normGroups)), ("norm_var", take(s.variance, c.normGroups)),
                    ("cema_h", ema), ("sca_k", take(s.keys, rows * c.zDim)),
                    ("awm_k", take(s.memoryKeys, rows * c.zDim)), ("v", take(s.values, rows * c.valueDim)),
                    ("memory", take(s.memory, c.zDim * c.headValueDim)), ("lognorm", take(s.lognorm, c.zDim)),
                ]
                result += parts.map { ("\(block.name).\($0.0)", $0.1) }
            } else if block is OutputLayer {
                result.append(("final_norm_mean", take(base, c.normGroups)))
                result.append(("final_norm_var", take(base + c.normGroups, c.normGroups)))
            }
        }
        return result
    }

    /// Gradients under the reference's names: a tied matrix's two parts are summed.
    package func gradient(_ name: String) -> [Float] {
        let own = stage.store.gradientValues(name)
        guard name == Embedding.weightName, configuration.tieEmbeddings else { return own }
        return zip(own, stage.store.gradientValues(OutputLayer.tiedName)).map { $0 + $1 }
    }

    func load(_ name: String, _ values: [Float], file: String) throws {
        try stage.store.set(name, values, file: file)
        if name == Embedding.weightName, configuration.tieEmbeddings {
            try stage.store.set(OutputLayer.tiedName, values, file: file)
        }
    }
}
