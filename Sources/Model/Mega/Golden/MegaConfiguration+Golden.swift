import Numerics

extension MegaConfiguration: GoldenArchitecture {
    package var documentMark: Int32? { bosID.map { Int32($0) } }

    /// From the hyperparameters of a golden model, in the reference's names.
    package init(_ h: Hyperparameters, packed: Bool) throws {
        self.init()
        layers = try h.int("num_layers")
        dim = try h.int("model_dim")
        zDim = try h.int("z_dim")
        valueDim = try h.int("value_dim")
        ffnDim = try h.int("ffn_dim")
        emaDim = try h.int("ema_ndim")
        chunk = h.optionalInt("chunk_size") ?? 0
        vocabulary = try h.int("vocab_size")
        attention = try Self.choice("attention", of: h)
        positionBias = try Self.choice("position_bias", of: h)
        maxPositions = h.optionalInt("max_positions") ?? chunk
        eps = try h.number("eps")
        finalNormAffine = try h.flag("final_norm_affine")
        scaleEmbeddings = try h.flag("scale_emb")
        tieEmbeddings = try h.flag("share_emb")
        bosID = packed ? try h.int("bos_id") : nil
        guard [layers, dim, zDim, valueDim, ffnDim, emaDim, vocabulary].allSatisfy({ $0 > 0 }), chunk >= 0 else {
            throw VerificationError("\(h.file): '\(h.key)' should have sizes above 0: \(self)")
        }
        guard positionBias == .simple ? maxPositions >= max(1, chunk) : zDim % 2 == 0 else {
            throw VerificationError(
                "\(h.file): '\(h.key)' needs an even z_dim for a rotary bias, and max_positions of at least a chunk "
                    + "for a simple one: \(self)")
        }
    }

    /// The choice that the reference calls so, too.
    static func choice<Choice: RawRepresentable<String>>(_ name: String, of h: Hyperparameters) throws -> Choice {
        let text = try h.string(name)
        guard let choice = Choice(rawValue: text) else {
            throw VerificationError("\(h.file): '\(h.key)' has an unknown \(name), '\(text)'")
        }
        return choice
    }

    package func goldenState(of part: ModelPart, _ memory: GoldenStateMemory) -> [GoldenStateTensor] {
        guard case .layer = part else { return [] }
        let s = MegaState.at(memory.state, self, window: MegaGeometry(memory.shape, self).window)
        // A vector lane is a channel there.
        let places = (0..<dim).flatMap { d in (0..<emaDim).map { $0 * paddedDim + d } }
        let ema = GoldenStateTensor("ema_h", places: places, of: s.ema)
        guard seesAll else {
            let rows = memory.position - chunkStart(of: memory.position)
            return [
                ema, GoldenStateTensor("k", s.keys, count: rows * zDim),
                GoldenStateTensor("v", s.values, count: rows * valueDim),
            ]
        }
        guard let rows = memory.prefix else { return [ema] }
        func tensor(_ name: String, _ base: UnsafeMutablePointer<Float>, _ width: Int) -> GoldenStateTensor {
            GoldenStateTensor(
                name, rows: base, stride: MegaAttention.prefixWidth(self), count: memory.position, width: width)
        }
        return [ema, tensor("k", rows, zDim), tensor("v", rows + zDim, valueDim)]
    }

    package func goldenNumbers(_ cursor: StreamCursor, documents: [Int32]) -> [(name: String, values: [Int32])] {
        [
            ("segments", Array(documents.suffix(cursor.position - chunkStart(of: cursor.position)))),
            ("last_segment", [Int32(MegaCursor.document(cursor))]),
        ]
    }

    package func goldenCursor(
        position: Int, numbers: (_ name: String, _ count: Int) throws -> [Int32]?
    ) throws -> StreamCursor {
        let document = Int(try numbers("last_segment", 1)?[0] ?? 0)
        let start = chunkStart(of: position)
        let window = position > start ? try numbers("window_segments", position - start) : nil
        // What lies before the chunk is out of sight, so the document may as well begin with it.
        let first = window.map { $0.firstIndex(of: Int32(document)).map { start + $0 } ?? position } ?? start
        return MegaCursor.at(position, documentStart: first, document: document)
    }

    package static func runGolden(
        operation: String, case name: String, of file: any GoldenSource, matrices: any MatrixProducts,
        _ report: inout CaseReport
    ) throws {
        let operations = MegaOperations(file: file, matrices: matrices)
        switch operation {
        case "damped_ema": try operations.average(name, &report)
        case "position_bias": try operations.positionBias(name, &report)
        case "biased_attention": try operations.attention(name, &report)
        case "silu_feed_forward": try operations.feedForward(name, &report)
        default: throw VerificationError("\(file.name): no operation is called '\(operation)'")
        }
    }
}
