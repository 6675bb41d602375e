import Numerics

extension MegalodonConfiguration: GoldenArchitecture {
    package var documentMark: Int32? { bosID.map { Int32($0) } }

    package static func runGolden(
        operation: String, case name: String, of file: any GoldenSource, matrices: any MatrixProducts,
        _ report: inout CaseReport
    ) throws {
        let operations = MegalodonOperations(file: file, matrices: matrices)
        switch operation {
        case "timestep_norm": try operations.timestepNorm(name, &report)
        case "weighted_complex_ema": try operations.complexEMA(name, &report)
        case "chunk_rotary": try operations.rotary(name, &report)
        case "chunk_attention": try operations.attention(name, &report)
        default: throw VerificationError("\(file.name): no operation is called '\(operation)'")
        }
    }

    package func goldenState(of part: ModelPart, _ memory: GoldenStateMemory) -> [GoldenStateTensor] {
        switch part {
        case .embedding: []
        case .output:
            [
                moments("final_norm_mean", memory.state),
                moments("final_norm_var", memory.state + 2 * normGroups),
            ]
        case .layer: layerState(memory)
        }
    }

    /// Of pairs of floats the numbers; what is written has no rests.
    private func moments(_ name: String, _ pairs: UnsafeMutablePointer<Float>) -> GoldenStateTensor {
        let G = normGroups
        return GoldenStateTensor(name, count: G) {
            Array(UnsafeBufferPointer(start: pairs, count: G))
        } write: { values in
            for g in 0..<G { (pairs[g], pairs[G + g]) = (values[g], 0) }
        }
    }

    private func layerState(_ memory: GoldenStateMemory) -> [GoldenStateTensor] {
        let rows = memory.position - MegalodonCursor.windowStart(at: memory.position, chunk: chunk)
        let s = MegalodonState.at(memory.state, self, window: MegalodonGeometry(memory.shape, self).window)
        // A vector lane is a channel there, and a pair is a complex number here.
        let ema = (0..<dim).flatMap { d in
            (0..<emaDim).flatMap { n in (0..<2).map { ($0 * emaDim + n) * paddedDim + d } }
        }
        return [
            moments("norm_mean", s.mean), moments("norm_var", s.variance),
            GoldenStateTensor("cema_h", places: ema, of: s.ema),
            GoldenStateTensor("k", s.keys, count: rows * zDim),
            GoldenStateTensor("v", s.values, count: rows * valueDim),
        ]
    }

    package func goldenNumbers(_ cursor: StreamCursor, documents: [Int32]) -> [(name: String, values: [Int32])] {
        let count = [Int32(MegalodonCursor.count(cursor))]
        return (0..<layers).map { ("layers.\($0).norm_count", count) } + [
            ("final_norm_count", count), ("segments", cursor.list),
            ("last_segment", [MegalodonCursor.document(cursor)]),
        ]
    }

    package func goldenCursor(
        position: Int, numbers: (_ name: String, _ count: Int) throws -> [Int32]?
    ) throws -> StreamCursor {
        let window = position - MegalodonCursor.windowStart(at: position, chunk: chunk)
        let documents = window > 0 ? try numbers("window_segments", window) : nil
        return MegalodonCursor.at(
            position, count: Int(try numbers("norm_count", 1)?[0] ?? 0),
            document: try numbers("last_segment", 1)?[0] ?? 0,
            window: documents ?? [Int32](repeating: 0, count: window))
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
        emaDim = try h.int("cema_ndim")
        chunk = try h.int("chunk_size")
        normGroups = try h.int("norm_groups")
        vocabulary = try h.int("vocab_size")
        eps = try h.number("eps")
        ropeBase = try h.number("rope_base")
        normAffine = try h.flag("norm_affine")
        swiglu = try h.flag("swiglu")
        rescaleNFFN = try h.flag("rescale_nffn")
        scaleEmbeddings = try h.flag("scale_emb")
        tieEmbeddings = try h.flag("share_emb")
        bosID = packed ? try h.int("bos_id") : nil
        try check(h)
    }

    /// Throws where sizes don't fit together.
    private func check(_ h: Hyperparameters) throws {
        let sizes = [layers, dim, zDim, valueDim, ffnDim, heads, emaDim, chunk, normGroups, vocabulary]
        guard sizes.allSatisfy({ $0 > 0 }) else {
            throw VerificationError("\(h.file): '\(h.key)' should have sizes above 0: \(self)")
        }
        for (whole, parts, what) in [
            (dim, normGroups, "model_dim by norm_groups"), (zDim, 2 * heads, "z_dim by twice num_heads"),
            (valueDim, heads, "value_dim by num_heads"),
        ] where whole % parts != 0 {
            throw VerificationError("\(h.file): '\(h.key)' must divide \(what): \(whole) isn't a multiple of \(parts)")
        }
    }
}
