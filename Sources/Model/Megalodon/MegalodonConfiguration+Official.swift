import Glibc

/// A Megalodon as its published code keeps it (XuezheMax/megalodon): the same names and numbers; parameters of the EMA
/// have axes of size 1 more, and there are tensors that nothing is learned in.
extension MegalodonConfiguration {
    package static let officialForm: OfficialForm? = OfficialForm(of: Self.self) { spec in
        let axes: [Int] =
            switch spec.name {
            case _ where spec.name.hasSuffix(".cema.theta"): [1, 1]
            case _ where [".cema.alpha", ".cema.delta", ".cema.omega"].contains { spec.name.hasSuffix($0) }: [1]
            default: []
            }
        return (spec.name, spec.shape + axes, .none)
    } buffers: { model in
        // The moments before any token, which count for none.
        let none = OfficialForm.Buffer.Values.floats([Float](repeating: 0, count: model.normGroups))
        let norms = (0..<model.layers).map { "layers.\($0).mega.timenorm." } + ["output.final_norm."]
        let frequencies = (0..<model.keyDim / 2).map {
            1 / Float(pow(model.ropeBase, Double(2 * $0) / Double(model.keyDim)))
        }
        return norms.flatMap { norm -> [OfficialForm.Buffer] in
            [
                .init(norm + "prior_count", shape: [], .integer(0)),
                .init(norm + "prior_mean", shape: [model.normGroups], none),
                .init(norm + "prior_logv", shape: [model.normGroups], none),
            ]
        } + [.init("rope.freqs", shape: [frequencies.count], .floats(frequencies))]
    } copies: { model in
        model.tieEmbeddings ? ["output.output.weight": embeddingWeight] : [:]
    }
}
