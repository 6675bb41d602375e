import Numerics

/// What a Megalodon makes of the layers that architectures share.
extension MegalodonConfiguration {
    static let embeddingWeight = "embed.weight"

    var embedding: Embedding.Form {
        Embedding.Form(
            weight: Self.embeddingWeight, vocabulary: vocabulary, dim: dim,
            initializer: .truncatedNormal(1 / Double(dim).squareRoot()), isScaled: scaleEmbeddings)
    }

    /// The norm of the moving average's output.
    func averageNorm(layer: Int) -> FeatureNorm.Form {
        FeatureNorm.Form(.rms, prefix: "layers.\(layer).mega.rmsnorm.", dim: dim, eps: eps, isAffine: normAffine)
    }

    package func feedForward(layer: Int) -> FeedForward.Form {
        let prefix = "layers.\(layer).nffn."
        var scale: Float = 0.1
        for _ in 0..<layer { scale *= 0.5 }
        return FeedForward.Form(
            norm: FeatureNorm.Form(.layer, prefix: prefix + "norm.", dim: dim, eps: eps, isAffine: normAffine),
            prefix: prefix, names: (first: "fc1.weight", gate: swiglu ? "fc3.weight" : nil, last: "fc2.weight"),
            hidden: ffnDim,
            initializers: (
                first: .normal(1 / (3 * Double(dim)).squareRoot()), last: .normal(1 / (3 * Double(ffnDim)).squareRoot())
            ), rescale: rescaleNFFN ? scale : nil)
    }

    /// Over the token's own chunk.
    var chunkAttention: WindowAttention {
        WindowAttention(heads: heads, keyDim: keyDim, valueDim: headValueDim, chunk: chunk, chunks: 1)
    }

    /// gamma over the root of its orders.
    var movingAverage: ComplexEMA {
        ComplexEMA(dim: dim, orders: emaDim, gammaScale: 1 / Double(emaDim).squareRoot())
    }
}
