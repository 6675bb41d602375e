import Numerics

extension GeckoConfiguration: GoldenArchitecture {
    package var documentMark: Int32? { bosID.map { Int32($0) } }

    package static func runGolden(
        operation: String, case name: String, of file: any GoldenSource, matrices: any MatrixProducts,
        _ report: inout CaseReport
    ) throws {
        try Operations(file: file, matrices: matrices).run(operation, case: name, &report)
    }

    package func goldenState(of part: ModelPart, _ memory: GoldenStateMemory) -> [GoldenStateTensor] {
        switch part {
        case .embedding: []
        case .output:
            [
                averages("final_norm_mean", memory.state),
                averages("final_norm_var", memory.state + GeckoNorm.count(self)),
            ]
        case .layer: layerState(memory)
        }
    }

    /// Of pairs of floats the numbers; what is written has no rests.
    private func averages(_ name: String, _ base: UnsafeMutablePointer<Float>) -> GoldenStateTensor {
        let (G, all) = (normGroups, GeckoNorm.count(self))
        return GoldenStateTensor(name, count: G) {
            Array(UnsafeBufferPointer(start: base, count: G))
        } write: { values in
            for i in 0..<all { base[i] = i < G ? values[i] : 0 }
        }
    }

    private func layerState(_ memory: GoldenStateMemory) -> [GoldenStateTensor] {
        let rows = memory.position - StreamCursor.windowStart(at: memory.position, chunk: chunk, chunks: chunksSeen)
        let s = LayerState.at(memory.state, self, window: SliceGeometry(memory.shape, self).window)
        // A vector lane is a channel there, and a pair is a complex number here.
        let places = (0..<dim).flatMap { d in
            (0..<emaDim).flatMap { n in (0..<2).map { ($0 * emaDim + n) * paddedDim + d } }
        }
        var tensors = [
            averages("norm_mean", s.mean), averages("norm_var", s.variance),
            GoldenStateTensor("sca_k", s.keys, count: rows * zDim),
            GoldenStateTensor("v", s.values, count: rows * valueDim),
        ]
        if ema { tensors.append(GoldenStateTensor("cema_h", places: places, of: s.ema)) }
        if self.memory {
            tensors += [
                GoldenStateTensor("awm_k", s.memoryKeys, count: rows * zDim),
                GoldenStateTensor("memory", s.memory, count: zDim * headValueDim),
                GoldenStateTensor("lognorm", s.lognorm, count: zDim),
            ]
        }
        return tensors
    }

    package func goldenNumbers(_ cursor: StreamCursor, documents: [Int32]) -> [(name: String, values: [Int32])] {
        let count = [Int32(cursor.count)]
        return (0..<layers).map { ("layers.\($0).norm_count", count) } + [
            ("final_norm_count", count), ("segments", cursor.windowDocuments),
            ("memory_segment", [cursor.memoryDocument]), ("last_segment", [cursor.lastDocument]),
        ]
    }

    package func goldenCursor(
        position: Int, numbers: (_ name: String, _ count: Int) throws -> [Int32]?
    ) throws -> StreamCursor {
        let window = position - StreamCursor.windowStart(at: position, chunk: chunk, chunks: chunksSeen)
        return StreamCursor(
            position: position, count: Int(try numbers("norm_count", 1)?[0] ?? 0),
            windowDocuments: try numbers("window_segments", window) ?? [Int32](repeating: 0, count: window),
            memoryDocument: try numbers("memory_segment", 1)?[0] ?? -1,
            lastDocument: try numbers("last_segment", 1)?[0] ?? 0)
    }

    /// From the hyperparameters of a golden model, in the reference's names.
    package init(_ h: Hyperparameters, packed: Bool) throws {
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
