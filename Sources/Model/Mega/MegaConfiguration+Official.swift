/// A Mega as its published code keeps it (facebookresearch/mega, the decoder of a language model): norm weights have
/// their 1 in them, parameters of the EMA and of rotary biases an axis of size 1 more.
extension MegaConfiguration {
    package static let officialForm: OfficialForm? = OfficialForm(of: Self.self, prefix: "decoder.") { spec in
        let shape =
            switch spec.name {
            case _ where [".move.alpha", ".move.delta", ".move.beta"].contains { spec.name.hasSuffix($0) }:
                spec.shape + [1]
            case _ where [".rel_pos_bias.alpha", ".rel_pos_bias.beta"].contains { spec.name.hasSuffix($0) }:
                [1] + spec.shape
            default: spec.shape
            }
        return (spec.name, shape, spec.name.hasSuffix("norm.norm.weight") ? .adds(1) : .none)
    } buffers: { model in
        guard model.positionBias == .rotary else { return [] }
        // Where the sines go, whatever it holds.
        return (0..<model.layers).map {
            .init("layers.\($0).mega_layer.rel_pos_bias._float_tensor", shape: [1], .unused)
        }
    } copies: { model in
        model.tieEmbeddings ? ["output_projection.weight": embeddingWeight] : [:]
    }
}
