/// The keys of `[model]` for a Megalodon: called as a Gecko's where they mean the same.
extension MegalodonConfiguration {
    /// More than any machine has use for; products of two stay far below 2^63.
    private static let widest = 1 << 20

    package static let keys: [ModelKey] = [
        .integer("layers", \Self.layers, .atLeast(1, atMost: 1 << 14), "Number of layers."),
        .integer(
            "dim", \Self.dim, .atLeast(2, atMost: widest),
            "Width D of the residual stream; a multiple of norm_groups."),
        .integer(
            "z_dim", \Self.zDim, .atLeast(2, atMost: widest),
            "Width Z of queries and keys over all heads; z_dim / heads must be even for rotary."),
        .integer(
            "value_dim", \Self.valueDim, .atLeast(1, atMost: widest),
            "Width E of values and gate over all heads; a multiple of heads."),
        .integer(
            "ffn_dim", \Self.ffnDim, .atLeast(1, atMost: widest),
            "Hidden width F of the feed-forward network."),
        .integer("heads", \Self.heads, .atLeast(1, atMost: widest), "Attention heads H."),
        .integer(
            "ema_dim", \Self.emaDim, .atLeast(1, atMost: 1 << 12),
            "Complex dimensions N of the moving average, per feature."),
        .integer(
            "chunk", \Self.chunk, .atLeast(1, atMost: 1 << 24),
            "Chunk size C in tokens: a token attends to its own chunk."),
        .choice(
            "precision", \Self.precision,
            "Number format of the factors of matrix products; weights, states, norms and sums are float32 in any case. "
                + "bf16 needs a CPU with AVX512-BF16.",
            onResume: .otherNumbers),
        .integer(
            "norm_groups", \Self.normGroups, .atLeast(0, atMost: widest),
            "Groups of the timestep norm, of at least two features each; divides dim. 0 = the most up to 32 that do."),
        .integer(
            "vocabulary", \Self.vocabulary, .atLeast(0, atMost: 1 << 24),
            "Rows of the embedding; 0 = as many as the data needs: 256 bytes, and one more for bos when packed."),
        .number(
            "eps", \Self.eps, .positive(within: 1e-30...1), "Added to variances under the square root."),
        .number(
            "rope_base", \Self.ropeBase, .above(1, within: 1.001...1e30),
            "Base of the rotary angles, which begin anew with every chunk."),
        .boolean("norm_affine", \Self.normAffine, "RMS and layer norms have weights and biases."),
        .boolean("swiglu", \Self.swiglu, "Gated feed-forward network; false = plain SiLU."),
        .boolean(
            "rescale_nffn", \Self.rescaleNFFN,
            "A learned scale on the feed-forward output, from 0.1 / 2^layer."),
        .boolean("scale_embeddings", \Self.scaleEmbeddings, "Embeddings are multiplied by sqrt(dim)."),
        .boolean("tie_embeddings", \Self.tieEmbeddings, "The output matrix is the embedding."),
    ]

    package static let rules: [ModelRule] = [
        .divides("norm_groups", "dim"),
        // The first token of a document is normalised by its own variance: that of one feature is 0.
        .severalFeatures("dim", over: "norm_groups", "the timestep norm"),
        .divides("heads", "z_dim"),
        .divides("heads", "value_dim"),
        ModelRule(
            { (m: Self) in m.zDim % m.heads != 0 || m.zDim / m.heads % 2 == 0 },
            problem: { m, quote in
                "rotary turns pairs of features, but \(quote("z_dim")) over \(quote("heads")) leaves "
                    + "\(m.zDim / m.heads) a head"
            }, remedies: [.multiples("z_dim") { (m: Self) in 2 * m.heads }]),
    ]
}
