import Pipeline
import Schedules
import Simulation

extension CostMeasurement {
    /// What the steps of a trace of `plan`, replicas included, took on the host's ranks.
    init(_ timeline: Timeline, of plan: PipelinePlan, on host: RankHost) throws {
        let replicas = try (0..<plan.replicas).map {
            try RecordedSteps(timeline.replica($0, ranks: plan.ranks), of: plan.table)
        }
        try self.init(replicas, sharedCores: host.sharedCores(plan))
    }

    /// The costs in the simulator's form, with what the host knows of itself.
    func file(of plan: PipelinePlan, on host: RankHost) throws -> CostFile {
        let workers = host.cores.map(\.count)
        let bytes = (0...plan.lastStage).map { stage in
            let memory = plan.memory(of: stage, workers: workers[plan.table.shape.rank(of: stage)])
            return StageBytes(
                unit: memory.unit, weightUnit: memory.unit + memory.gradientUnit, light: memory.lightUnit,
                resident: memory.resident, sequence: memory.prefix)
        }
        var note = "measured on ranks: \(host.title), workers on cores \(host.coreList)"
        if !sharedCores.isEmpty { note += " (ranks share cores; actions by processor time)" }
        note += "; \(steps) steps of \(plan.table.name), slices of \(plan.cut.title)"
        let shares = (0...plan.lastStage).map(plan.sliceShares)
        return try file(bytes: bytes, shares: shares, messageBytes: plan.messageBytes, note: note)
    }
}

extension RankHost {
    /// The groups of a replica's ranks that share cores.
    func sharedCores(_ plan: PipelinePlan) -> [SharedCores] {
        let places = zip(nodes, cores).map { node, cores in cores.map { [node, $0] } }
        return SharedCores.groups(cores: places, pipelineRanks: plan.ranks)
    }
}
