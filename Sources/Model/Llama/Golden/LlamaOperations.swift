import Numerics

/// Runs the golden cases of a Llama's operations.
struct LlamaOperations {
    let file: any GoldenSource
    let matrices: any MatrixProducts

    func attention(_ name: String, _ report: inout CaseReport) throws {
        let golden = try GoldenAttention(name, of: file, matrices: matrices) { _ in 0 }
        guard golden.keyDim % 2 == 0, golden.keyDim == golden.valueDim else {
            throw VerificationError(
                "\(file.name): '\(name)' has keys of \(golden.keyDim) and values of \(golden.valueDim) features")
        }
        var c = LlamaConfiguration()
        (c.heads, c.keyHeads) = (golden.heads, golden.keyHeads)
        c.dim = golden.heads * golden.keyDim
        c.bosID = file.has("\(name).in.bos") ? 0 : nil
        try golden.run(c.attention, scale: Float(try file.object(name).number("scale")), &report) { b in
            let cursor = try c.goldenCursor(position: golden.position) { try golden.numbers($0, $1, row: b) }
            let slice = LlamaSlice(c)
            let tokens = try golden.tokens(row: b, mark: 0)
            tokens.withUnsafeBufferPointer {
                slice.move(to: cursor, length: tokens.count, tokens: $0.baseAddress!)
            }
            return (slice, slice.window)
        }
    }

    func feedForward(_ name: String, _ report: inout CaseReport) throws {
        var c = LlamaConfiguration()
        c.dim = try file.shape("\(name).in.y").last ?? 0
        c.ffnDim = try file.shape("\(name).in.w1", axes: 2)[0]
        c.eps = try file.object(name).number("eps")
        try GoldenFeedForward(
            form: c.feedForward(layer: 0),
            names: [
                (ours: "ffn_norm.weight", theirs: "norm_weight"), (ours: "feed_forward.w1.weight", theirs: "w1"),
                (ours: "feed_forward.w2.weight", theirs: "w2"), (ours: "feed_forward.w3.weight", theirs: "w3"),
            ], prefix: "layers.0.", hasTwoHops: false
        ).run(name, of: file, &report) { T in
            let slice = LlamaSlice(c)
            let tokens = [Int32](repeating: 0, count: T)
            tokens.withUnsafeBufferPointer {
                slice.move(to: LlamaCursor.form.start, length: T, tokens: $0.baseAddress!)
            }
            return SliceContext(matrices: matrices, slice: slice, workspace: FloatBuffer(0).base)
        }
    }
}
