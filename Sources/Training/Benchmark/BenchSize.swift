import Model

extension RunConfiguration {
    /// A model by which the project measures itself: one sequence of 4,096 bytes a step, and the slice that trains
    /// fastest.
    ///
    /// - Parameter overrides: of the command line; the architecture that they name counts, or else the first one
    package static func benchmark(_ size: BenchmarkSize, overrides: [String]) throws -> RunConfiguration {
        var c = RunConfiguration()
        if let architecture = c.architecture(overrides: overrides) { c.choose(architecture) }
        let architecture = type(of: c.model)
        guard let model = architecture.benchmark(size) else {
            throw ConfigurationError(
                "the architecture \(architecture.name) has no model of size \(size.rawValue): give a configuration file"
            )
        }
        c.model = model
        c.data.sequence = 4096
        c.pipeline.slice = size == .XS ? 512 : 1024
        c.training.batch = 1
        return c
    }
}
