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
        let model = checked.model
        let widths = [
            ("layers", model.layers), ("dim", model.dim), ("z_dim", model.zDim), ("value_dim", model.valueDim),
            ("ffn_dim", model.ffnDim), ("ema_dim", model.emaDim), ("chunk", model.chunk),
            ("vocabulary", model.vocabulary),
        ]
        if let (name, value) = widths.first(where: { $0.1 > Self.widest }) {
            throw ConfigurationError("model.\(name) = \(value): at most \(Self.widest) can be planned for")
        }
        // What a layer keeps of a sequence, counted far too high, must be a number still.
        let widest = Double(widths.dropFirst().map(\.1).max() ?? 1)
        let kept = 64 * Double(checked.data.sequence) * widest * Double(model.heads + model.emaDim)
        guard kept < 9e18 else {
            throw ConfigurationError(
                "data.sequence = \(checked.data.sequence) is more than can be planned for with a model of this width: shorten it"
            )
        }
        return checked
    }

    /// The largest size of a model's part that is planned for.
    private static let widest = 1 << 22
}
