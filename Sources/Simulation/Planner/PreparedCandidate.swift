import Schedules

/// A candidate with its costs worked out.
struct Prepared {
    let run: PlannedRun
    /// Seconds below which no step of this candidate gets.
    let bound: Double
    /// Bytes that the rank in greatest need takes at the very least.
    let leastMemory: Double
    /// Bytes that a rank may use.
    let memoryLimit: Double
    /// A number that breaks ties the same way every time.
    let order: Int
    /// Actions of a full step.
    let actions: Int
    private let stageCosts: [StageCosts]
    private let closing: [Double]
    private let messageBytes: Int
    private let network: Network
    private let sequences: Int
    private let slices: Int

    /// nil if the layers don't make so many stages.
    init?(_ candidate: PlanCandidate, cluster: Cluster, model: PlannedModel) {
        let stages = candidate.stages * candidate.virtualStages
        guard stages <= model.layers else { return nil }
        sequences = model.batch / candidate.replicas
        slices = model.sequence / candidate.slice
        order = candidate.slice * 1000 + candidate.stages
        memoryLimit = cluster.memory / Double(candidate.ranksPerNode)
        messageBytes = Int((model.messageBytesPerToken * Double(candidate.slice)).rounded())
        let layers = Self.partition(model, stages: stages)
        let speed = cluster.speed(threads: candidate.threads)
        let bytes = model.bytes(candidate.slice)
        stageCosts = (0..<stages).map { stage in
            Self.costs(
                model, layers: layers[stage], isFirst: stage == 0, isLast: stage == stages - 1, candidate: candidate,
                speed: speed, overhead: cluster.overhead, bytes: bytes)
        }
        let placement =
            candidate.schedule == "zbv"
            ? Placement.vee(ranks: candidate.stages)
            : Placement.cyclic(ranks: candidate.stages, virtualStages: candidate.virtualStages)
        var parameters = [Double](repeating: 0, count: candidate.stages)
        var updated = parameters
        for (stage, rank) in placement.enumerated() {
            let own = Self.parameters(model, layers[stage], isFirst: stage == 0, isLast: stage == stages - 1)
            parameters[rank] += own
            updated[rank] += Self.updated(own, model, candidate, isFirst: stage == 0, isLast: stage == stages - 1)
        }
        // The ranks of a node sync and step at the same time and share its links and memory.
        let share = Double(candidate.ranksPerNode)
        let replicas = Double(candidate.replicas)
        let crossesNodes = candidate.replicas > 1 && candidate.ranksPerNode * cluster.nodes > candidate.ranksPerNode
        let link = crossesNodes ? cluster.network : cluster.local
        // As if it began at the row's end. In truth all but the last bucket's goes on while the rank computes, as far as that lasts.
        let sync = zip(parameters, updated).map { parameters, updated in
            let part = model.shardsOptimizer ? updated : parameters / replicas
            return candidate.replicas == 1
                ? 0 : 2 * (replicas - 1) * (4 * part * share / link.bandwidth + link.latency)
        }
        // AdamW reads parameter, gradient and two moments and writes three of them: 28 bytes a parameter.
        let optimizer = updated.map { 28 * $0 * share / cluster.memoryBandwidth }
        closing = zip(sync, optimizer).map { $0 + $1 }
        network = Network(
            withinNode: cluster.local, betweenNodes: cluster.network,
            nodes: (0..<candidate.stages).map { $0 / candidate.ranksPerNode })
        actions = (candidate.recompute ? 4 : 3) * stages * sequences * slices
        var run = PlannedRun(candidate: candidate, outcome: .boundedOut)
        run.layers = layers
        run.syncTime = sync.max() ?? 0
        run.optimizerTime = optimizer.max() ?? 0
        let units = Double(sequences * slices)
        var work = closing
        var least = [Double](repeating: 0, count: candidate.stages)
        for (stage, rank) in placement.enumerated() {
            let costs = stageCosts[stage]
            work[rank] += units * (costs.forward + costs.backward + (candidate.recompute ? costs.recompute : 0))
            least[rank] += Double(costs.residentBytes)
            least[rank] += Double(slices * (candidate.recompute ? costs.lightBytes : costs.unitBytes))
        }
        bound = work.max() ?? 0
        leastMemory = least.max() ?? 0
        run.stepTime = bound
        self.run = run
    }

    private static func parameters(_ model: PlannedModel, _ layers: Int, isFirst: Bool, isLast: Bool) -> Double {
        Double(layers) * model.layer.parameters + (isFirst ? model.embedding.parameters : 0)
            + (isLast ? model.output.parameters : 0)
    }

    /// Of a stage's parameters those that the replica with the most of them updates: all, or when they are shared out an equal share, but whole
    /// tensors.
    private static func updated(
        _ parameters: Double, _ model: PlannedModel, _ candidate: PlanCandidate, isFirst: Bool, isLast: Bool
    ) -> Double {
        guard model.shardsOptimizer else { return parameters }
        let largest = max(
            model.layer.largestTensor, isFirst ? model.embedding.largestTensor : 0,
            isLast ? model.output.largestTensor : 0)
        return min(parameters, max(largest, parameters / Double(candidate.replicas)))
    }

    private static func costs(
        _ model: PlannedModel, layers: Int, isFirst: Bool, isLast: Bool, candidate: PlanCandidate, speed: Double,
        overhead: Double,
        bytes: (layer: PlannedModel.SliceBytes, embedding: PlannedModel.SliceBytes, output: PlannedModel.SliceBytes)
    ) -> StageCosts {
        let slice = candidate.slice
        var blocks = [(Double(layers), model.layer, bytes.layer)]
        if isFirst { blocks.append((1, model.embedding, bytes.embedding)) }
        if isLast { blocks.append((1, model.output, bytes.output)) }
        let fixed = Double(layers) * overhead
        var (linear, other) = (0.0, 0.0)
        var (stash, gradientStash, state, workspace, packed) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (count, block, size) in blocks {
            linear += count * block.linearFlops * Double(slice) / speed
            other += count * block.otherFlops * Double(slice) / speed
            stash += count * size.stash
            gradientStash += count * size.gradientStash
            state += count * size.state
            workspace = max(workspace, size.workspace)
            packed += count * block.packedBytes
        }
        var costs = StageCosts(
            forward: linear + other + fixed, backwardInput: linear + 2 * other + fixed, backwardWeight: linear + fixed)
        let input = model.activationBytesPerToken * Double(slice)
        costs.unitBytes = Int(stash + state)
        costs.weightUnitBytes = Int(stash + state + gradientStash)
        costs.lightBytes = Int(input + state)
        // Parameter, gradient and, where it is updated, two moments; packed weights; scratch; one gradient stash and the buffers of messages
        // under way.
        let parameters = Self.parameters(model, layers, isFirst: isFirst, isLast: isLast)
        let updated = updated(parameters, model, candidate, isFirst: isFirst, isLast: isLast)
        costs.residentBytes = Int(8 * parameters + 8 * updated + packed + workspace + gradientStash + 8 * input)
        return costs
    }

    /// Layers per stage that make the longest stage shortest, embedding and output layer counted: one layer after the other
    /// goes to the stage that would then be the shortest.
    private static func partition(_ model: PlannedModel, stages: Int) -> [Int] {
        func flops(_ block: PlannedModel.Block) -> Double { block.linearFlops + block.otherFlops }
        var counts = [Int](repeating: 1, count: stages)
        var work = [Double](repeating: flops(model.layer), count: stages)
        work[0] += flops(model.embedding)
        work[stages - 1] += flops(model.output)
        for _ in stages..<max(stages, model.layers) {
            guard let next = work.indices.min(by: { work[$0] < work[$1] }) else { break }
            counts[next] += 1
            work[next] += flops(model.layer)
        }
        return counts
    }

    private func table(sequences: Int) throws -> ScheduleTable {
        let candidate = run.candidate
        let table = try ScheduleRegistry.generator(named: candidate.schedule).make(
            ScheduleRequest(
                ranks: candidate.stages, virtualStages: candidate.virtualStages, sequences: sequences, slices: slices))
        return candidate.recompute ? table.withRecompute() : table
    }

    private func simulation(sequences: Int) throws -> Simulation {
        let table = try table(sequences: sequences)
        return try Simulation(
            table,
            costs: Costs(
                shape: table.shape, stages: stageCosts,
                messageBytes: table.shape.stages > 1 ? [messageBytes] : nil, closing: closing),
            network: network, recordsMessages: false)
    }

    /// Finds memory and time from two short steps: past the warm-up every further sequence adds the same time.
    func estimate(_ run: inout PlannedRun) throws {
        let settled = (2 * run.candidate.stages * run.candidate.virtualStages + slices - 1) / slices + 2
        if sequences <= settled + 2 {
            try take(simulation(sequences: sequences), into: &run, outcome: .simulated)
            return
        }
        let short = try simulation(sequences: settled)
        let longer = try simulation(sequences: settled + 2)
        try take(longer, into: &run, outcome: .estimated)
        guard run.outcome == .estimated else { return }
        let further = Double(sequences - settled - 2)
        let perSequence = (longer.makespan - short.makespan) / 2
        run.stepTime = longer.makespan + further * perSequence
        let busy = (longer.busy.reduce(0, +) - short.busy.reduce(0, +)) / 2
        let cost = longer.cost + further * (longer.cost - short.cost) / 2
        let total = longer.busy.reduce(0, +) + further * busy
        run.bubble = 1 - total / (cost * Double(run.candidate.stages))
    }

    /// The whole step.
    func simulate(_ run: inout PlannedRun) throws {
        try take(simulation(sequences: sequences), into: &run, outcome: .simulated)
    }

    private func take(_ simulation: Simulation, into run: inout PlannedRun, outcome: PlannedRun.Outcome) throws {
        run.memory = Double(simulation.peakBytes.max() ?? 0)
        guard run.memory <= memoryLimit else {
            run.outcome = .tooLarge
            return
        }
        run.outcome = outcome
        run.stepTime = simulation.makespan
        run.bubble = simulation.bubble
    }
}
