import Numerics

/// What a Llama makes of the layers that architectures share.
extension LlamaConfiguration {
    static let embeddingWeight = "tok_embeddings.weight"

    var embedding: Embedding.Form {
        Embedding.Form(
            weight: Self.embeddingWeight, vocabulary: vocabulary, dim: dim,
            initializer: .truncatedNormal(1 / Double(dim).squareRoot()))
    }

    func norm(_ name: String) -> FeatureNorm.Form { FeatureNorm.Form(.rms, prefix: "\(name).", dim: dim, eps: eps) }

    package func feedForward(layer: Int) -> FeedForward.Form {
        FeedForward.Form(
            norm: norm("layers.\(layer).ffn_norm"), prefix: "layers.\(layer).feed_forward.",
            names: (first: "w1.weight", gate: "w3.weight", last: "w2.weight"), hidden: ffnDim,
            initializers: (
                first: .truncatedNormal(1 / Double(dim).squareRoot()),
                last: .truncatedNormal(1 / Double(ffnDim).squareRoot())
            ))
    }

    var attention: WindowAttention {
        WindowAttention(heads: heads, keyHeads: keyHeads, keyDim: headDim, valueDim: headDim)
    }

    var output: OutputHead.Form {
        OutputHead.Form(
            norm: norm("norm"), weight: tieEmbeddings ? "output.tied_embedding" : "output.weight",
            original: tieEmbeddings ? Self.embeddingWeight : nil, vocabulary: vocabulary,
            initializer: embedding.initializer, precision: precision)
    }
}
