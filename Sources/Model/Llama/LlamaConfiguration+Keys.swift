/// The keys of `[model]` for a Llama.
extension LlamaConfiguration {
    /// More than any machine has use for; products of two stay far below 2^63.
    private static let widest = 1 << 20

    package static let keys: [ModelKey] = [
        .integer("layers", \Self.layers, .atLeast(1, atMost: 1 << 14), "Number of layers."),
        .integer(
            "dim", \Self.dim, .atLeast(2, atMost: widest),
            "Width D of the residual stream, and of the queries of all heads; a multiple of 2 heads."),
        .integer("heads", \Self.heads, .atLeast(1, atMost: widest), "Query heads H."),
        .integer(
            "kv_heads", \Self.keyHeads, .atLeast(0, atMost: widest),
            "Heads K of keys and values, each of which serves heads / kv_heads query heads; 0 = as many as heads."),
        .integer(
            "ffn_dim", \Self.ffnDim, .atLeast(0, atMost: widest),
            "Hidden width F of the feed-forward network; 0 = 8 D / 3, rounded up to a multiple of 256."),
        .choice(
            "precision", \Self.precision,
            "Number format of the factors of matrix products; weights, states, norms and sums are float32 in any case. "
                + "bf16 needs a CPU with AVX512-BF16.",
            onResume: .otherNumbers),
        .integer(
            "vocabulary", \Self.vocabulary, .atLeast(0, atMost: 1 << 24),
            "Rows of the embedding; 0 = as many as the data needs: 256 bytes, and one more for bos when packed."),
        .number(
            "eps", \Self.eps, .positive(within: 1e-30...1), "Added to mean squares under the square root."),
        .number("rope_base", \Self.ropeBase, .above(1, within: 1.001...1e30), "Base of the rotary angles."),
        .boolean("tie_embeddings", \Self.tieEmbeddings, "The output matrix is the embedding."),
    ]

    package static let rules: [ModelRule] = [
        .divides("heads", "dim"),
        .divides("kv_heads", "heads"),
        ModelRule(
            { (m: Self) in m.dim % m.heads != 0 || m.headDim % 2 == 0 },
            problem: { m, quote in
                "rotary turns pairs of features, but \(quote("dim")) over \(quote("heads")) leaves \(m.headDim) a head"
            }, remedies: [.multiples("dim") { (m: Self) in 2 * m.heads }]),
    ]
}
