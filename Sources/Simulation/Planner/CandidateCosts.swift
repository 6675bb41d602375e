import Schedules

/// What a candidate's stages, ends of steps and messages cost.
struct CandidateCosts {
    let stages: [StageCosts]
    /// The rank of each stage.
    let placement: [Int]
    /// Seconds of gradient sync and optimizer, by rank.
    let sync: [Double]
    let optimizer: [Double]
    let messageBytes: Int
    let network: Network

    var closing: [Double] { zip(sync, optimizer).map { $0 + $1 } }

    /// - Parameter layers: of each stage
    init(_ candidate: PlanCandidate, layers: [Int], cluster: Cluster, model: PlannedModel) {
        let count = layers.count
        messageBytes = Self.clamped((model.tokenBytes.message * Double(candidate.slice)).rounded())
        let speed = cluster.speed(threads: candidate.threads)
        let bytes = model.bytes(candidate.slice)
        stages = layers.enumerated().map { stage, layers in
            Self.costs(
                model, Part(layers: layers, stage: stage, of: count), candidate, bytes: bytes, speed: speed,
                overhead: cluster.core.overhead)
        }
        let layout = ScheduleRegistry.all.first { $0.name == candidate.schedule }?.layout
        placement =
            layout.flatMap { $0.stagesPerRank == candidate.virtualStages ? $0 : nil }?
            .placement(ranks: candidate.stages)
            ?? Placement.cyclic(ranks: candidate.stages, virtualStages: candidate.virtualStages)
        var parameters = [Double](repeating: 0, count: candidate.stages)
        var updated = parameters
        for (stage, rank) in placement.enumerated() {
            let part = Part(layers: layers[stage], stage: stage, of: count)
            let own = Self.parameters(model, part)
            parameters[rank] += own
            updated[rank] += Self.updated(own, model, part, candidate)
        }
        // The ranks of a node sync and step at the same time and share its links and memory.
        let share = Double(candidate.ranksPerNode)
        let replicas = Double(candidate.replicas)
        let crossesNodes = candidate.replicas > 1 && candidate.ranksPerNode * cluster.nodes > candidate.ranksPerNode
        let link = crossesNodes ? cluster.network : cluster.local
        // As if it began at the row's end. In truth all but the last bucket's goes on while the rank computes, as far
        // as that lasts.
        sync = zip(parameters, updated).map { parameters, updated in
            let part = model.shardsOptimizer ? updated : parameters / replicas
            return candidate.replicas == 1
                ? 0 : 2 * (replicas - 1) * (4 * part * share / link.bandwidth + link.latency)
        }
        // AdamW reads parameter, gradient and two moments and writes three of them: 28 bytes a parameter.
        optimizer = updated.map { 28 * $0 * share / cluster.node.memoryBandwidth }
        network = Network(
            withinNode: cluster.local, betweenNodes: cluster.network,
            nodes: (0..<candidate.stages).map { $0 / candidate.ranksPerNode })
    }

    /// What a stage holds of the model.
    private struct Part {
        let layers: Int
        let isFirst, isLast: Bool

        init(layers: Int, stage: Int, of count: Int) {
            self.layers = layers
            isFirst = stage == 0
            isLast = stage == count - 1
        }
    }

    private static func parameters(_ model: PlannedModel, _ part: Part) -> Double {
        Double(part.layers) * model.blocks.layer.parameters + (part.isFirst ? model.blocks.embedding.parameters : 0)
            + (part.isLast ? model.blocks.output.parameters : 0)
    }

    /// Of a stage's parameters those that the replica with the most of them updates: all, or when they are shared out
    /// an equal share, but whole tensors.
    private static func updated(
        _ parameters: Double, _ model: PlannedModel, _ part: Part, _ candidate: PlanCandidate
    ) -> Double {
        guard model.shardsOptimizer else { return parameters }
        let largest = max(
            model.blocks.layer.largestTensor, part.isFirst ? model.blocks.embedding.largestTensor : 0,
            part.isLast ? model.blocks.output.largestTensor : 0)
        return min(parameters, max(largest, parameters / Double(candidate.replicas)))
    }

    /// - Parameters:
    ///   - speed: operations per second of a rank
    ///   - overhead: seconds that a layer takes per action beside its arithmetic
    private static func costs(
        _ model: PlannedModel, _ part: Part, _ candidate: PlanCandidate,
        bytes: PlannedModel.Parts<PlannedModel.SliceBytes>, speed: Double, overhead: Double
    ) -> StageCosts {
        let slice = candidate.slice
        var blocks = [(Double(part.layers), model.blocks.layer, bytes.layer)]
        if part.isFirst { blocks.append((1, model.blocks.embedding, bytes.embedding)) }
        if part.isLast { blocks.append((1, model.blocks.output, bytes.output)) }
        let fixed = Double(part.layers) * overhead
        var (linear, other) = (0.0, 0.0)
        var (stash, gradientStash, state, workspace, packed) = (0.0, 0.0, 0.0, 0.0, 0.0)
        var (prefix, streamRows, growth) = (0.0, 0.0, 0.0)
        for (count, block, size) in blocks {
            linear += count * block.linearFlops * Double(slice) / speed
            other += count * block.otherFlops * Double(slice) / speed
            stash += count * size.stash
            gradientStash += count * size.gradientStash
            state += count * size.state
            prefix += count * size.prefix
            streamRows += count * size.streamRows
            growth += count * block.flopsPerTokenBefore * Double(slice) * Double(slice) / speed
            workspace = max(workspace, size.workspace)
            packed += count * block.packedBytes
        }
        var costs = StageCosts(
            forward: linear + other + fixed, backwardInput: linear + 2 * other + fixed, backwardWeight: linear + fixed)
        if growth > 0 { costs.sliceGrowth = growth / costs.forward }
        costs.sequenceBytes = Self.clamped(prefix)
        let input = model.tokenBytes.activation * Double(slice)
        costs.unitBytes = Self.clamped(stash + state)
        costs.weightUnitBytes = Self.clamped(stash + state + gradientStash)
        costs.lightBytes = Self.clamped(input + state)
        // Parameter, gradient and, where it is updated, two moments; packed weights; scratch; one gradient stash and
        // the buffers of messages under way.
        let parameters = Self.parameters(model, part)
        let updated = updated(parameters, model, part, candidate)
        costs.residentBytes = Self.clamped(
            8 * parameters + 8 * updated + packed + workspace + gradientStash + 8 * input
                + streamRows * Double(model.step.batch / candidate.replicas))
        return costs
    }

    /// Never so many that sums over a step overflow: such a layout is too large anyway.
    private static func clamped(_ value: Double) -> Int { Int(saturating: min(value, Double(Bounds.bytes.upperBound))) }
}
