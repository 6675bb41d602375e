/// The models by which the project measures itself, from 2 to 100 million parameters.
package enum BenchSize: String, CaseIterable, Sendable {
    case XS, S, L

    /// The configuration: one sequence of 4,096 bytes a step, and the slice that trains fastest.
    package func configuration() -> RunConfiguration {
        var c = RunConfiguration()
        switch self {
        case .XS: c.model.set(dim: 192, z: 96, value: 384, ffn: 384, layers: 4, chunk: 128)
        case .S: c.model.set(dim: 512, z: 256, value: 1024, ffn: 1024, layers: 6, chunk: 512)
        case .L: c.model.set(dim: 1024, z: 256, value: 2048, ffn: 2048, layers: 8, chunk: 512)
        }
        c.data.sequence = 4096
        c.pipeline.slice = self == .XS ? 512 : 1024
        c.training.batch = 1
        return c
    }
}

extension RunConfiguration.ModelSection {
    fileprivate mutating func set(dim: Int, z: Int, value: Int, ffn: Int, layers: Int, chunk: Int) {
        (self.dim, zDim, valueDim, ffnDim, self.layers, self.chunk) = (dim, z, value, ffn, layers, chunk)
        (heads, emaDim, normGroups, vocabulary) = (4, 16, 32, 256)
    }
}
