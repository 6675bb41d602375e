/// The keys of `[model]` for a Mega.
extension MegaConfiguration {
    /// More than any machine has use for; products of two stay far below 2^63.
    private static let widest = 1 << 20

    package static let keys: [ModelKey] = [
        .integer("layers", \Self.layers, .atLeast(1, atMost: 1 << 14), "Number of layers."),
        .integer("dim", \Self.dim, .atLeast(2, atMost: widest), "Width D of the residual stream."),
        .integer(
            "z_dim", \Self.zDim, .atLeast(2, atMost: widest),
            "Width Z of queries and keys; even for a rotary bias."),
        .integer("value_dim", \Self.valueDim, .atLeast(1, atMost: widest), "Width E of values and of their gate."),
        .integer(
            "ffn_dim", \Self.ffnDim, .atLeast(1, atMost: widest), "Hidden width F of the feed-forward network."),
        .integer(
            "ema_dim", \Self.emaDim, .atLeast(1, atMost: 1 << 12), "Orders N of the moving average, per feature."),
        .integer(
            "chunk", \Self.chunk, .atLeast(0, atMost: 1 << 24),
            "Chunk size C in tokens: a token attends to its own chunk; 0 = to its whole document so far."),
        .choice(
            "attention", \Self.attention,
            "What weights are made of scores by: softmax, or laplace and relu2, which aren't normalised."),
        .choice(
            "position_bias", \Self.positionBias,
            "The bias of a distance: of two learned vectors that rotate against each other, or a simple table."),
        .integer(
            "max_positions", \Self.maxPositions, .atLeast(0, atMost: 1 << 24),
            "Distances M of the simple bias: at least a chunk's, or the longest sequence where chunk is 0; 0 = chunk."),
        .choice(
            "precision", \Self.precision,
            "Number format of the factors of matrix products; weights, states, norms and sums are float32 in any case. "
                + "bf16 needs a CPU with AVX512-BF16.",
            onResume: .otherNumbers),
        .integer(
            "vocabulary", \Self.vocabulary, .atLeast(0, atMost: 1 << 24),
            "Rows of the embedding; 0 = as many as the data needs: 256 bytes, and one more for bos when packed."),
        .number("eps", \Self.eps, .positive(within: 1e-30...1), "Added to variances under the square root."),
        .boolean("final_norm_affine", \Self.finalNormAffine, "The norm before the output has weight and bias."),
        .boolean("scale_embeddings", \Self.scaleEmbeddings, "Embeddings are multiplied by sqrt(dim)."),
        .boolean("tie_embeddings", \Self.tieEmbeddings, "The output matrix is the embedding."),
    ]

    package static let rules: [ModelRule] = [
        ModelRule(
            { (m: Self) in m.positionBias == .simple || m.zDim % 2 == 0 },
            problem: { _, quote in "the rotary bias turns pairs of features, but \(quote("z_dim")) is odd" },
            remedies: [.multiples("z_dim") { (_: Self) in 2 }],
            advice: { _ in ["set model.position_bias to \"simple\""] }),
        ModelRule { (m: Self) in
            m.positionBias == .rotary || m.maxPositions > 0 && m.maxPositions >= m.chunk
        } problem: { m, quote in
            m.seesAll
                ? "a simple bias needs to know its distances, but \(quote("chunk")) and \(quote("max_positions")) are "
                    + "both 0"
                : "\(quote("max_positions")) is less than \(quote("chunk"))"
        } advice: { m in
            m.seesAll
                ? ["set model.max_positions to the longest sequence"]
                : ["set model.max_positions to \(m.chunk), or to 0"]
        },
    ]

    package static let idleKeys: [IdleModelKey] = [
        IdleModelKey("max_positions") { (m: Self) in
            m.positionBias == .rotary ? "model.position_bias is \"rotary\": it knows every distance" : nil
        }
    ]
}
