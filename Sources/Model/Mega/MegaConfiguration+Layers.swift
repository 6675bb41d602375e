import Numerics

/// What a Mega makes of the layers that architectures share.
extension MegaConfiguration {
    static let embeddingWeight = "embed_tokens.weight"

    var embedding: Embedding.Form {
        Embedding.Form(
            weight: Self.embeddingWeight, vocabulary: vocabulary, dim: dim,
            initializer: .normal(1 / Double(dim).squareRoot()), isScaled: scaleEmbeddings)
    }

    func norm(_ prefix: String, isAffine: Bool = true) -> FeatureNorm.Form {
        FeatureNorm.Form(.layer, prefix: prefix + "norm.norm.", dim: dim, eps: eps, isAffine: isAffine)
    }

    /// Official values are normal(0, .02), which suits a width of 2500 and leaves narrow layers idle: here it is
    /// 1/sqrt(columns) (MEGA.md).
    static func map(columns: Int) -> Initializer { .normal(1 / Double(columns).squareRoot()) }

    package func feedForward(layer: Int) -> FeedForward.Form {
        let prefix = "layers.\(layer).nffn."
        return FeedForward.Form(
            norm: norm(prefix), prefix: prefix, names: (first: "fc1.weight", gate: nil, last: "fc2.weight"),
            hidden: ffnDim, initializers: (first: Self.map(columns: dim), last: Self.map(columns: ffnDim)),
            biases: (first: "fc1.bias", last: "fc2.bias"))
    }

    /// The token's own chunk, or its document so far.
    var chunkAttention: WindowAttention {
        let weights: WindowAttention.Weights =
            switch attention {
            case .softmax: .softmax
            case .laplace: .laplace
            case .relu2: .squaredReLU
            }
        return WindowAttention(biased: weights, keyDim: zDim, valueDim: valueDim, chunk: seesAll ? nil : chunk)
    }

    var output: OutputHead.Form {
        OutputHead.Form(
            norm: norm("final_", isAffine: finalNormAffine),
            weight: tieEmbeddings ? "output_projection.tied_embedding" : "output_projection.weight",
            original: tieEmbeddings ? Self.embeddingWeight : nil, vocabulary: vocabulary,
            initializer: embedding.initializer, precision: precision)
    }
}
