import Figures
import Schedules

/// The schedule called `auto`: a search for the order with the least makespan for given costs under a memory limit.
///
/// It starts from every named schedule that keeps the limit, adds tables grown by a greedy scheduler under many
/// policies, and, where the shape is small, closes the gap by branch and bound. Among equal makespans the shorter
/// longest span of a rank wins, which is what counts when steps follow each other without a barrier.
public struct AutoSchedule: Sendable {
    /// The best table with its times.
    public let simulation: Simulation
    /// Seconds; no order with one stage a rank ends sooner. nil with several stages a rank, for which no bound is known
    /// here.
    public let lowerBound: Double?
    /// Whether the makespan is known to be the least possible.
    public let isOptimal: Bool
    /// How many tables were simulated.
    public let tried: Int

    /// The best table.
    public var table: ScheduleTable { simulation.table }

    /// The name by which it is asked for.
    public static let name = "auto"

    /// Actions that may be scheduled and simulated in all; keeps a search within about a second or two.
    private static let actionBudget = 8_000_000
    private static let nodeBudget = 150_000

    /// - Parameters:
    ///   - shape: ranks, units and placement; with two stages a rank it may be cyclic or a V
    ///   - memory: what units weigh and what each rank may hold
    /// - Throws: `SimulationError` if no schedule keeps the limit.
    public init(shape: ScheduleShape, costs: Costs, network: Network, memory: MemoryLimit) throws {
        try Self.requireRoom(shape, memory)
        var search = Search(costs: costs, network: network, memory: memory)
        for table in Self.namedTables(shape, memory) { try search.consider(table) }
        let greedy = GreedyScheduler(shape: shape, costs: costs, network: network, memory: memory)
        let actions = 3 * shape.stages * shape.units
        let fusing = (0..<shape.stages).contains {
            costs.stages[$0].backward < costs.stages[$0].backwardInput + costs.stages[$0].backwardWeight
        }
        for policy in Self.policies(fusing: fusing).prefix(max(8, Self.actionBudget / actions)) {
            if let table = greedy.table(policy, name: Self.name) { try search.consider(table) }
        }
        if fusing, let best = search.best { try search.consider(best.table.mergingAdjacentWeightGradients()) }
        // The bound and the exact search know one time for all slices of a sequence.
        guard shape.virtualStages == 1, costs.stages.allSatisfy(\.hasEqualSlices) else {
            guard let best = search.best else { throw Self.nothingFits }
            self.init(simulation: best, lowerBound: nil, isOptimal: false, tried: search.tried)
            return
        }
        let times = PipelineTimes(shape: shape, costs: costs, network: network)
        let bound = LowerBound(shape: shape, times: times, memory: memory).makespan
        var isOptimal = search.makespan <= bound * (1 + 1e-9)
        if !isOptimal, ExactSearch.fits(shape) {
            let outcome = ExactSearch.run(
                shape: shape, times: times, memory: memory, bound: search.makespan, nodes: Self.nodeBudget,
                name: Self.name)
            switch outcome {
            case .nothingShorter: isOptimal = true
            case .shorter(let table):
                try search.consider(table)
                isOptimal = network.isFree(of: shape)
            case .unfinished(let table): if let table { try search.consider(table) }
            }
        }
        guard let best = search.best else { throw Self.nothingFits }
        self.init(simulation: best, lowerBound: bound, isOptimal: isOptimal, tried: search.tried)
    }

    private init(simulation: Simulation, lowerBound: Double?, isOptimal: Bool, tried: Int) {
        self.simulation = simulation
        self.lowerBound = lowerBound
        self.isOptimal = isOptimal
        self.tried = tried
    }

    private static let nothingFits = SimulationError(
        "the search found no schedule under this memory cap; raise the cap, recompute activations, or use more slices "
            + "per sequence with fewer tokens each")

    /// Every rank has to hold all slices of a sequence at each of its stages before a gradient can start.
    private static func requireRoom(_ shape: ScheduleShape, _ memory: MemoryLimit) throws {
        for rank in 0..<shape.ranks {
            let least = shape.stages(on: rank).reduce(0) { $0 + Double(shape.slices) * memory.unit[$1] }
            guard least <= memory.caps[rank] * (1 + MemoryLimit.tolerance) else {
                throw SimulationError(
                    "rank \(rank) may hold \(memory.caps[rank].significant), but needs at least \(least.significant): "
                        + "all \(shape.slices) slices of a sequence are held when its first gradient starts; raise the "
                        + "cap, recompute activations, or use shorter sequences")
            }
        }
    }

    /// The tables of the registry for exactly this shape.
    private static func namedTables(_ shape: ScheduleShape, _ memory: MemoryLimit) -> [ScheduleTable] {
        var request = ScheduleRequest(
            ranks: shape.ranks, virtualStages: shape.virtualStages, sequences: shape.sequences, slices: shape.slices)
        return ScheduleRegistry.all.compactMap { generator in
            request.unitCaps = nil
            if generator.name == ScheduleGenerator.memoryCapped.name {
                request.unitCaps = (0..<shape.ranks).map { rank in
                    let cap = memory.caps[rank] * (1 + MemoryLimit.tolerance) / memory.unit[shape.stages(on: rank)[0]]
                    return Int(min(cap, Double(shape.units)).rounded(.down))
                }
            }
            // A schedule that doesn't exist for this shape is no candidate.
            guard let table = try? generator.make(request), table.shape == shape else { return nil }
            return table
        }
    }

    /// Policies to try, the most promising first.
    private static func policies(fusing: Bool) -> [GreedyScheduler.Policy] {
        var policies: [GreedyScheduler.Policy] = []
        for fuses in fusing ? [false, true] : [false] {
            for preference in [GreedyScheduler.Policy.Preference.backward, .forward, .alternate] {
                for lead in [1, 2, 1.25, 2.25, 1.5, 1.75, 100, 2.5, 3, 0.5, 0.75, 0.25, 0] {
                    for patience in fuses ? [1] : [0, 0.5, 0.25, 0.75, 1] {
                        policies.append(
                            .init(
                                preference: preference, leadPerRank: lead, patience: patience, fusesBackward: fuses))
                    }
                }
            }
        }
        return policies
    }
}

/// The best table so far.
private struct Search {
    let costs: Costs
    let network: Network
    let memory: MemoryLimit
    private(set) var best: Simulation?
    private(set) var makespan = Double.infinity
    private var cost = Double.infinity
    private(set) var tried = 0

    init(costs: Costs, network: Network, memory: MemoryLimit) {
        self.costs = costs
        self.network = network
        self.memory = memory
    }

    mutating func consider(_ table: ScheduleTable) throws {
        guard memory.allows(table) else { return }
        let simulation = try Simulation(table, costs: costs, network: network, recordsMessages: false)
        tried += 1
        let tolerance = 1e-9 * makespan
        let (makespan, cost) = (simulation.makespan, simulation.cost)
        let isBetter =
            best == nil || makespan < self.makespan - tolerance
            || makespan <= self.makespan + tolerance && cost < self.cost - tolerance
        guard isBetter else { return }
        best = simulation
        self.makespan = makespan
        self.cost = cost
    }
}

extension Network {
    /// Whether messages never wait for each other on any link between neighbours of `shape`.
    fileprivate func isFree(of shape: ScheduleShape) -> Bool {
        (0..<max(0, shape.stages - 1)).allSatisfy {
            let (a, b) = (shape.rank(of: $0), shape.rank(of: $0 + 1))
            return link(from: a, to: b).bandwidth == .infinity && link(from: b, to: a).bandwidth == .infinity
        }
    }
}
