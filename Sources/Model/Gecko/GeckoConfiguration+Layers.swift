import Numerics

/// What a Gecko makes of the layers that architectures share.
extension GeckoConfiguration {
    package static let embeddingWeight = "embed.weight"

    package var embedding: Embedding.Form {
        Embedding.Form(
            weight: Self.embeddingWeight, vocabulary: vocabulary, dim: dim,
            initializer: .truncatedNormal(1 / Double(dim).squareRoot()), isScaled: scaleEmbeddings, dropout: dropout)
    }

    package func feedForward(layer: Int) -> FeedForward.Form {
        let prefix = "layers.\(layer).nffn."
        var scale: Float = 0.1
        for _ in 0..<layer { scale *= 0.5 }
        return FeedForward.Form(
            norm: FeatureNorm.Form(
                .layer, prefix: prefix + "norm.", dim: dim, groups: lnGroups, eps: eps, isAffine: normAffine),
            prefix: prefix, names: (first: "fc1.weight", gate: swiglu ? "fc3.weight" : nil, last: "fc2.weight"),
            hidden: ffnDim,
            initializers: (
                first: .normal(1 / (3 * Double(dim)).squareRoot()), last: .normal(1 / (3 * Double(ffnDim)).squareRoot())
            ), rescale: rescaleNFFN ? scale : nil,
            dropout: (
                hidden: Dropout(rate: hiddenDropout, layer: layer, site: DropoutSite.feedForwardHidden),
                output: Dropout(rate: dropout, layer: layer, site: DropoutSite.feedForwardOutput)
            ))
    }

    func chunkAttention(layer: Int) -> WindowAttention {
        WindowAttention(
            heads: heads, keyDim: keyDim, valueDim: headValueDim, chunk: chunk, chunks: chunksSeen,
            hiding: .init(rate: attentionDropout, layer: layer, chunk: chunk))
    }

    var normAverages: TimestepDecayNorm.Averages {
        TimestepDecayNorm.Averages(beta1: beta1, beta2: beta2, eps: eps)
    }

    /// nil: a model without it.
    var workingMemory: AdaptiveWorkingMemory? {
        memory ? AdaptiveWorkingMemory(heads: heads, keyDim: keyDim, valueDim: headValueDim, chunk: chunk) : nil
    }
}
