import Simulation

extension RunConfiguration {
    /// The configuration as the planner sees it: the model and the step checked as training would check them, the
    /// layout left open.
    ///
    /// - Throws: `ConfigurationError` for what no layout could mend
    package func forPlanning() throws -> RunConfiguration {
        var open = self
        if open.data.path.isEmpty { open.data.path = "-" }
        open.pipeline = PipelineSection()
        open.pipeline.shardOptimizer = pipeline.shardOptimizer
        open.pipeline.compressMessages = pipeline.compressMessages
        let checked = try open.validated(world: nil)
        for key in checked.keys.of(.model) where key.kind == .integer {
            let value = checked.integer(key.qualifiedName)
            guard value <= Self.widest else {
                throw ConfigurationError("\(key.qualifiedName) = \(value): at most \(Self.widest) can be planned for")
            }
        }
        // One slice is the longest.
        var whole = checked
        whole.pipeline.slice = checked.data.sequence
        try SizeCheck(whole).checkPlanning()
        return checked
    }

    /// The largest size of a model's part that is planned for.
    private static let widest = 1 << 22
}
