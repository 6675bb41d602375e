/// How the planner deals a model's layers to stages, worked out once for each number of stages.
struct LayerSplits {
    private let model: PlannedModel
    private var splits: [Int: [Int]] = [:]

    init(_ model: PlannedModel) { self.model = model }

    /// Layers per stage that make the longest stage shortest, embedding and output layer counted: one layer after the
    /// other goes to the stage that would then be the shortest.
    mutating func layers(stages: Int) -> [Int] {
        if let split = splits[stages] { return split }
        func flops(_ block: PlannedModel.Block) -> Double { block.linearFlops + block.otherFlops }
        var counts = [Int](repeating: 1, count: stages)
        var work = [Double](repeating: flops(model.blocks.layer), count: stages)
        work[0] += flops(model.blocks.embedding)
        work[stages - 1] += flops(model.blocks.output)
        var queue = TimeQueue()
        for stage in 0..<stages { queue.insert(stage, at: work[stage]) }
        for _ in stages..<max(stages, model.layers) {
            guard let (_, next) = queue.removeFirst() else { break }
            counts[next] += 1
            work[next] += flops(model.blocks.layer)
            queue.insert(next, at: work[next])
        }
        splits[stages] = counts
        return counts
    }
}
