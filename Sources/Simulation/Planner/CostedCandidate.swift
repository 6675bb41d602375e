import Schedules

/// A candidate with its bounds worked out.
struct CostedCandidate {
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
    /// Actions that are simulated for an estimate.
    let estimateActions: Int
    private let cluster: Cluster
    private let model: PlannedModel
    private let sequences: Int
    private let slices: Int

    /// nil if the layers don't make so many stages.
    init?(_ candidate: PlanCandidate, splits: inout LayerSplits, cluster: Cluster, model: PlannedModel) {
        let stages = candidate.stages * candidate.virtualStages
        guard stages <= model.layers else { return nil }
        self.cluster = cluster
        self.model = model
        sequences = model.step.batch / candidate.replicas
        slices = model.step.sequence / candidate.slice
        order = candidate.slice &* 1000 &+ candidate.stages
        memoryLimit = cluster.node.memory / Double(candidate.ranksPerNode)
        let perUnit = (candidate.recompute ? 4 : 3) * stages
        actions = Self.product(perUnit, sequences, slices)
        let settled = Self.settledSequences(candidate, slices: slices)
        estimateActions =
            sequences <= settled + 2 ? actions : Self.product(perUnit, 2 * settled + 2, slices)
        var run = PlannedRun(candidate: candidate, outcome: .boundedOut)
        run.layers = splits.layers(stages: stages)
        let costs = CandidateCosts(candidate, layers: run.layers, cluster: cluster, model: model)
        run.syncTime = costs.sync.max() ?? 0
        run.optimizerTime = costs.optimizer.max() ?? 0
        let units = Double(sequences) * Double(slices)
        var work = costs.closing
        var least = [Double](repeating: 0, count: candidate.stages)
        for (stage, rank) in costs.placement.enumerated() {
            let stage = costs.stages[stage]
            work[rank] += units * (stage.forward + stage.backward + (candidate.recompute ? stage.recompute : 0))
            least[rank] += Double(stage.residentBytes) + 2 * Double(stage.sequenceBytes)
            least[rank] += Double(slices) * Double(candidate.recompute ? stage.lightBytes : stage.unitBytes)
        }
        bound = work.max() ?? 0
        leastMemory = least.max() ?? 0
        run.stepTime = bound
        self.run = run
    }

    private static func product(_ factors: Int...) -> Int {
        factors.reduce(1) { product, factor in
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            return overflow ? .max : next
        }
    }

    /// Sequences after which a pipeline has come to its steady state.
    private static func settledSequences(_ candidate: PlanCandidate, slices: Int) -> Int {
        (2 * candidate.stages * candidate.virtualStages + slices - 1) / slices + 2
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
        // Made anew: kept for every candidate they would take more memory than the simulations.
        let costs = CandidateCosts(run.candidate, layers: run.layers, cluster: cluster, model: model)
        return try Simulation(
            table,
            costs: Costs(
                shape: table.shape, stages: costs.stages,
                messageBytes: table.shape.stages > 1 ? [costs.messageBytes] : nil, closing: costs.closing),
            network: costs.network, recordsMessages: false)
    }

    /// Finds memory and time from two short steps: past the warm-up every further sequence adds the same time.
    func estimate(_ run: inout PlannedRun) throws {
        let settled = Self.settledSequences(run.candidate, slices: slices)
        if sequences <= settled + 2 {
            try take(simulation(sequences: sequences), into: &run, outcome: .simulated)
            return
        }
        let short = try simulation(sequences: settled)
        let longer = try simulation(sequences: settled + 2)
        try take(longer, into: &run, outcome: .estimated)
        let further = Double(sequences - settled - 2)
        // Nothing for a pipeline that holds the same however long it runs.
        let growth = zip(longer.peakBytes, short.peakBytes).map { Double($0 - $1) / 2 }.max() ?? 0
        if growth > 0 {
            run.memory += further * growth
            if run.memory > memoryLimit { run.outcome = .tooLarge }
        }
        guard run.outcome == .estimated else { return }
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
