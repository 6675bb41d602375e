import Figures
import Schedules

/// A schedule asked for by name, or as a table from a file, made for given costs.
public struct ScheduleChoice: Sendable {
    /// The name that was asked for.
    public let name: String
    /// The chosen table with its times.
    public let simulation: Simulation
    /// What the choice found, for people; empty if there is nothing to say.
    public let remark: String

    /// Every name that `init` takes.
    public static var names: [String] { ScheduleRegistry.all.map(\.name) + [AutoSchedule.name] }

    /// What is asked for beside the name.
    public struct Request: Sendable {
        /// The shape.
        public var schedule: ScheduleRequest
        /// What actions and messages cost.
        public var costs: CostFile
        /// The links between ranks.
        public var network: Network
        /// What a rank may hold; nil: all.
        public var cap: MemoryCap?
        /// Whether activations are computed again instead of kept.
        public var recompute: Bool

        public init(
            schedule: ScheduleRequest, costs: CostFile, network: Network, cap: MemoryCap? = nil,
            recompute: Bool = false
        ) {
            self.schedule = schedule
            self.costs = costs
            self.network = network
            self.cap = cap
            self.recompute = recompute
        }
    }

    /// - Throws: `ScheduleError` or `SimulationError` if there is no such schedule or it doesn't keep the cap.
    public init(named name: String, _ request: Request) throws {
        if name == AutoSchedule.name {
            self = try Self.auto(request)
            return
        }
        let generator = try Self.generator(named: name)
        var scheduleRequest = request.schedule
        try Self.checkSize(request, stagesPerRank: scheduleRequest.virtualStages ?? generator.layout.stagesPerRank)
        if name == ScheduleGenerator.memoryCapped.name, let cap = request.cap {
            let shape = try scheduleRequest.shape()
            let costs = try Self.effectiveCosts(request, shape)
            let limit = try cap.limit(shape: shape, costs: costs)
            scheduleRequest.unitCaps = (0..<shape.ranks).map {
                Int(min(Double(shape.units), limit.caps[$0] / limit.unit[$0] * (1 + 1e-9)).rounded(.down))
            }
        }
        try self.init(table: generator.make(scheduleRequest), request)
    }

    /// Refuses what could not be simulated before a table of that size is made.
    private static func checkSize(
        _ request: Request, stagesPerRank: Int, most: Int = Bounds.actions, what: String = "simulated"
    ) throws {
        let schedule = request.schedule
        let units = Double(schedule.sequences) * Double(schedule.slices)
        try Bounds.check(
            actions: 2 * Double(schedule.ranks) * Double(stagesPerRank) * units, most: most, what: what)
    }

    /// A table that exists already, such as one from a file.
    public init(table: ScheduleTable, _ request: Request) throws {
        try Bounds.check(actions: Double(table.actionCount))
        try table.validate()
        let table = request.recompute ? table.withRecompute() : table
        let costs = try request.costs.costs(for: table.shape)
        var remark = ""
        if let cap = request.cap {
            let limit = try cap.limit(shape: table.shape, costs: Self.effectiveCosts(request, table.shape))
            let peaks = limit.peaks(table)
            if table.name != ScheduleGenerator.memoryCapped.name {
                remark = "the cap is kept, but does not shape this schedule; memory-capped and auto go by it"
            }
            for (rank, peak) in peaks.enumerated() where peak > limit.caps[rank] * (1 + 1e-9) {
                throw SimulationError(
                    "schedule '\(table.name)' holds \(peak.significant) on rank \(rank), but the cap leaves "
                        + "\(limit.caps[rank].significant); use memory-capped or auto, which keep a cap, or raise it")
            }
        }
        name = table.name
        simulation = try Simulation(table, costs: costs, network: request.network)
        self.remark = remark
    }

    private init(name: String, simulation: Simulation, remark: String) {
        self.name = name
        self.simulation = simulation
        self.remark = remark
    }

    private static func generator(named name: String) throws -> ScheduleGenerator {
        guard let generator = ScheduleRegistry.all.first(where: { $0.name == name }) else {
            throw ScheduleError.unsupported(
                "there is no schedule '\(name)'; expected a file or one of " + names.joined(separator: ", "))
        }
        return generator
    }

    /// The costs as a search that knows no recompute sees them: it takes part in the backward, and what is held for
    /// long is the light part.
    private static func effectiveCosts(_ request: Request, _ shape: ScheduleShape) throws -> Costs {
        var costs = try request.costs.costs(for: shape)
        guard request.recompute else { return costs }
        for stage in costs.stages.indices {
            costs.stages[stage].backwardInput += costs.stages[stage].recompute
            costs.stages[stage].backward += costs.stages[stage].recompute
            // One unit's activations are whole at a time; it counts as resident.
            costs.stages[stage].residentBytes += costs.stages[stage].unitBytes
            costs.stages[stage].unitBytes = costs.stages[stage].lightBytes
            costs.stages[stage].weightUnitBytes = costs.stages[stage].lightBytes
            costs.stages[stage].weightShare = 1
        }
        return costs
    }

    private static func auto(_ request: Request) throws -> ScheduleChoice {
        let stagesPerRank = request.schedule.virtualStages ?? 1
        try checkSize(
            request, stagesPerRank: stagesPerRank, most: Bounds.searchedActions, what: "searched by auto")
        let ranks = try request.schedule.checkedRanks(stagesPerRank: stagesPerRank)
        var placements = [Placement.cyclic(ranks: ranks, virtualStages: stagesPerRank)]
        if stagesPerRank == 2 { placements.append(Placement.vee(ranks: ranks)) }
        var best: (auto: AutoSchedule, simulation: Simulation)?
        for placement in placements {
            let shape = try request.schedule.shape(placement: placement)
            let costs = try effectiveCosts(request, shape)
            let memory =
                try request.cap?.limit(shape: shape, costs: costs)
                ?? MemoryLimit(shape: shape, costs: costs)
            let auto = try AutoSchedule(shape: shape, costs: costs, network: request.network, memory: memory)
            let table = request.recompute ? auto.table.withRecompute() : auto.table
            let simulation = try Simulation(
                table, costs: request.costs.costs(for: shape), network: request.network)
            if best.map({ simulation.makespan < $0.simulation.makespan }) ?? true { best = (auto, simulation) }
        }
        guard let best else { preconditionFailure("there is at least one placement") }
        var remark = "best of \(best.auto.tried) tables tried"
        if best.auto.table.name != AutoSchedule.name { remark += ": \(best.auto.table.name)" }
        if best.auto.isOptimal, !request.recompute {
            remark += "; no order with one stage a rank is shorter"
        } else if let bound = best.auto.lowerBound, bound > 0, !request.recompute {
            remark += "; at most \((best.simulation.makespan / bound - 1).asPercentage) above the least possible"
        }
        return ScheduleChoice(name: AutoSchedule.name, simulation: best.simulation, remark: remark)
    }
}
