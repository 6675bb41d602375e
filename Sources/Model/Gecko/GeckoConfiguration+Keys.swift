/// The keys of `[model]` for a Gecko.
extension GeckoConfiguration {
    /// More than any machine has use for; products of two stay far below 2^63.
    private static let widest = 1 << 20

    package static let keys: [ModelKey] = [
        .integer("layers", \Self.layers, .atLeast(1, atMost: 1 << 14), "Number of layers."),
        .integer(
            "dim", \Self.dim, .atLeast(2, atMost: widest),
            "Width D of the residual stream; a multiple of norm_groups and ln_groups."),
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
            "rope_heads", \Self.ropeHeads, .atLeast(-1, atMost: widest),
            "Heads with rotary positions, the first ones; -1 = all, 0 = none."),
        .integer(
            "ema_dim", \Self.emaDim, .atLeast(1, atMost: 1 << 12),
            "Complex dimensions N of the moving average, per feature."),
        .integer(
            "chunk", \Self.chunk, .atLeast(1, atMost: 1 << 24),
            "Chunk size C in tokens: a token attends to its own chunk and, if the window slides, to the one before."),
        .choice(
            "precision", \Self.precision,
            "Number format of the factors of matrix products; weights, states, norms and sums are float32 in any case. "
                + "bf16 needs a CPU with AVX512-BF16.",
            onResume: .otherNumbers),
        .integer(
            "norm_groups", \Self.normGroups, .atLeast(0, atMost: widest),
            "Groups of the timestep decay norm, of at least two features each; divides dim. "
                + "0 = the most up to 32 that do."
        ),
        .integer(
            "vocabulary", \Self.vocabulary, .atLeast(0, atMost: 1 << 24),
            "Rows of the embedding; 0 = as many as the data needs: 256 bytes, and one more for bos when packed."),
        .boolean(
            "memory", \Self.memory,
            "Adaptive working memory of the chunks that attention no longer sees; false = without it."),
        .choice(
            "window", \Self.window,
            "What a token attends to: sliding = its own chunk and the one before, chunk = its own only."),
        .choice(
            "timestep_norm", \Self.timestepNorm,
            "Norm over time: decay = by averages that decay, cumulative = by the plain mean and variance of the "
                + "document so far, as a Megalodon."),
        .boolean("ema", \Self.ema, "Complex moving average before queries, keys and gate; false = without it."),
        .number("beta1", \Self.beta1, .decay, "Decay of the timestep norm's running mean, per token."),
        .number("beta2", \Self.beta2, .decay, "Decay of the timestep norm's running variance, per token."),
        .integer(
            "ln_groups", \Self.lnGroups, .atLeast(1, atMost: widest),
            "Groups of the RMS and layer norms, of at least two features each; divides dim."),
        .number(
            "eps", \Self.eps, .positive(within: 1e-30...1), "Added to variances under the square root."),
        .number(
            "rope_base", \Self.ropeBase, .above(1, within: 1.001...1e30), "Base of the rotary angles."),
        .boolean("norm_affine", \Self.normAffine, "Norms have weights and biases."),
        .boolean("swiglu", \Self.swiglu, "Gated feed-forward network; false = plain SiLU."),
        .boolean(
            "two_hop_residual", \Self.twoHopResidual,
            "The feed-forward network's residual is the layer's input instead of the attention's output."),
        .boolean(
            "rescale_nffn", \Self.rescaleNFFN,
            "A learned scale on the feed-forward output, from 0.1 / 2^layer."),
        .boolean("scale_embeddings", \Self.scaleEmbeddings, "Embeddings are multiplied by sqrt(dim)."),
        .boolean("tie_embeddings", \Self.tieEmbeddings, "The output matrix is the embedding."),
        .number(
            "dropout", \Self.dropout, .belowOne(atMost: 0.99), "Dropout of block outputs.", onResume: .otherNumbers),
        .number(
            "hidden_dropout", \Self.hiddenDropout, .belowOne(atMost: 0.99), "Dropout of hidden features.",
            onResume: .otherNumbers),
        .number(
            "attention_dropout", \Self.attentionDropout, .belowOne(atMost: 0.99),
            "Dropout of attention weights.",
            onResume: .otherNumbers),
    ]

    package static let rules: [ModelRule] = [
        .divides("norm_groups", "dim"),
        // The norms take a variance over a group's features: that of one is 0, and nothing of the input is left.
        .severalFeatures("dim", over: "norm_groups", "the timestep norm"),
        .divides("ln_groups", "dim"),
        .severalFeatures("dim", over: "ln_groups", "the layer norm"),
        .divides("heads", "z_dim"),
        .divides("heads", "value_dim"),
        .severalFeatures("z_dim", over: "heads", "queries, keys and memory"),
        ModelRule { (m: Self) in
            m.ropeHeads <= m.heads
        } problem: { _, quote in
            "\(quote("rope_heads")) is more than \(quote("heads"))"
        } advice: {
            ["set model.rope_heads to at most \($0.heads), or to -1 for all"]
        },
        ModelRule(
            { (m: Self) in m.ropeHeads == 0 || m.zDim % m.heads != 0 || m.zDim / m.heads % 2 == 0 },
            problem: { m, quote in
                "rotary turns pairs of features, but \(quote("z_dim")) over \(quote("heads")) leaves "
                    + "\(m.zDim / m.heads) a head"
            }, remedies: [.multiples("z_dim") { (m: Self) in 2 * m.heads }]),
    ]

    private static let nothingDecays = "model.timestep_norm is \"cumulative\": no average decays"

    package static let idleKeys: [IdleModelKey] = [
        IdleModelKey("rope_base") { (m: Self) in m.ropeHeads == 0 ? "model.rope_heads is 0: no head is rotated" : nil },
        IdleModelKey("beta1") { (m: Self) in m.timestepNorm == .cumulative ? nothingDecays : nil },
        IdleModelKey("beta2") { (m: Self) in m.timestepNorm == .cumulative ? nothingDecays : nil },
        IdleModelKey("ema_dim") { (m: Self) in m.ema ? nil : "model.ema is false: there is no moving average" },
    ]
}
