import Numerics

extension LlamaConfiguration: GoldenArchitecture {
    package var documentMark: Int32? { bosID.map { Int32($0) } }

    /// From the hyperparameters of a golden model, in the reference's names.
    package init(_ h: Hyperparameters, packed: Bool) throws {
        self.init()
        layers = try h.int("num_layers")
        dim = try h.int("model_dim")
        heads = try h.int("num_heads")
        keyHeads = h.optionalInt("num_kv_heads") ?? heads
        ffnDim = try h.int("ffn_dim")
        vocabulary = try h.int("vocab_size")
        eps = try h.number("eps")
        ropeBase = try h.number("rope_base")
        tieEmbeddings = try h.flag("share_emb")
        bosID = packed ? try h.int("bos_id") : nil
        guard [layers, dim, heads, keyHeads, ffnDim, vocabulary].allSatisfy({ $0 > 0 }) else {
            throw VerificationError("\(h.file): '\(h.key)' should have sizes above 0: \(self)")
        }
        guard heads % keyHeads == 0, dim % (2 * heads) == 0 else {
            throw VerificationError(
                "\(h.file): '\(h.key)' must divide num_heads by num_kv_heads, and model_dim into an even width for "
                    + "each head: \(self)")
        }
    }

    package func goldenState(of part: ModelPart, _ memory: GoldenStateMemory) -> [GoldenStateTensor] {
        guard case .layer = part, let rows = memory.prefix else { return [] }
        func tensor(_ name: String, _ base: UnsafeMutablePointer<Float>) -> GoldenStateTensor {
            GoldenStateTensor(
                name, rows: base, stride: LlamaAttention.prefixWidth(self), count: memory.position, width: keyRow)
        }
        return [tensor("k", rows), tensor("v", rows + keyRow)]
    }

    package func goldenNumbers(_ cursor: StreamCursor, documents: [Int32]) -> [(name: String, values: [Int32])] {
        [("segments", documents), ("last_segment", [Int32(cursor.document)])]
    }

    package func goldenCursor(
        position: Int, numbers: (_ name: String, _ count: Int) throws -> [Int32]?
    ) throws -> StreamCursor {
        var cursor = LlamaCursor.form.start
        cursor.position = position
        cursor.document = Int(try numbers("last_segment", 1)?[0] ?? 0)
        let window = position > 0 ? try numbers("window_segments", position) : nil
        cursor.documentStart = window.map { $0.firstIndex(of: Int32(cursor.document)) ?? position } ?? 0
        return cursor
    }

    package static func runGolden(
        operation: String, case name: String, of file: any GoldenSource, matrices: any MatrixProducts,
        _ report: inout CaseReport
    ) throws {
        let operations = LlamaOperations(file: file, matrices: matrices)
        switch operation {
        case "causal_attention": try operations.attention(name, &report)
        case "rms_swiglu": try operations.feedForward(name, &report)
        default: throw VerificationError("\(file.name): no operation is called '\(operation)'")
        }
    }
}
