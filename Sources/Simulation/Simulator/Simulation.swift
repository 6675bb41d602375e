import Figures
import Schedules

/// A table run under costs and a network, each action as early as its rank and all that it needs allow.
///
/// Messages take no compute time. They leave a rank in the order in which they were produced; a link carries one at a
/// time in each direction. Linear in the number of actions, unless ranks share cores.
public struct Simulation: Sendable {
    /// What was simulated.
    public let table: ScheduleTable
    /// What actions cost.
    public let costs: Costs
    /// What messages cost.
    public let network: Network
    /// Start of each action in seconds, by rank and position.
    public let starts: [[Double]]
    /// End of each action in seconds, by rank and position.
    public let ends: [[Double]]
    /// Why each action didn't start earlier, by rank and position.
    let causes: [[Cause]]
    /// Messages in the order in which they were sent.
    public let arrows: [Arrow]

    /// What an action waited for last.
    enum Cause: Sendable, Equatable {
        /// Nothing: it starts the step on its rank.
        case none
        /// The action before it on the rank.
        case rank
        /// The action at this place.
        case action(rank: Int, position: Int)
    }

    /// A message under way.
    public struct Arrow: Sendable {
        /// Who sends.
        public let from: Int
        /// Who receives.
        public let to: Int
        /// Whose product it is.
        public let action: Action
        /// When the data was ready.
        public let departure: Double
        /// Seconds.
        public let arrival: Double
        /// Length of the message.
        public let bytes: Int
    }

    /// - Parameter recordsMessages: false leaves `arrows` empty, for searches that only want times.
    /// - Throws: `ScheduleError` if the table cannot run, `SimulationError` if the costs don't hold all that it needs.
    public init(
        _ table: ScheduleTable, costs: Costs, network: Network = Network(), recordsMessages: Bool = true
    ) throws {
        self.table = table
        self.costs = costs
        self.network = network
        if let stage = costs.stages.firstIndex(where: \.lacksHalves), table.splitsWeightGradients {
            throw SimulationError(
                "schedule '\(table.name)' has input and weight gradients apart, but the costs of stage \(stage) hold "
                    + "the whole backward "
                    + "only: measure the halves with gecko profile, or give backward_input and backward_weight")
        }
        if !costs.sharedCores.isEmpty {
            let work = Double(table.actionCount) * Double(table.shape.ranks)
            guard work <= Bounds.sharedCoreWork else {
                throw SimulationError(
                    "ranks share cores, and that is simulated for at most \(Bounds.sharedCoreWork.significant) actions "
                        + "times ranks, found "
                        + "\(table.actionCount) x \(table.shape.ranks): take fewer sequences or slices")
            }
        }
        let links = Links(table.shape, costs: costs, network: network)
        let outcome =
            costs.sharedCores.isEmpty
            ? try Self.run(table, costs: costs, links: links, recordsMessages: recordsMessages)
            : try Self.runOnSharedCores(table, costs: costs, links: links, recordsMessages: recordsMessages)
        starts = outcome.starts
        ends = outcome.ends
        causes = outcome.causes
        arrows = outcome.arrows
    }

    /// What a run yields.
    struct Outcome {
        var starts: [[Double]]
        var ends: [[Double]]
        var causes: [[Cause]]
        var arrows: [Arrow] = []

        init(_ table: ScheduleTable) {
            starts = table.rows.map { [Double](repeating: 0, count: $0.count) }
            ends = starts
            causes = table.rows.map { [Cause](repeating: .none, count: $0.count) }
        }
    }

    /// Runs the table where every rank has cores of its own: one pass over the actions.
    private static func run(
        _ table: ScheduleTable, costs: Costs, links: Links, recordsMessages: Bool
    ) throws -> Outcome {
        let shape = table.shape
        let index = TableIndex(shape)
        var outcome = Outcome(table)
        // When a product is there for its own rank, and when for the neighbour that gets it as a message.
        var local = [Double](repeating: 0, count: index.productCount)
        var remote = local
        var places = [Int32](repeating: 0, count: index.productCount)
        var linkFree = [Double](repeating: 0, count: links.count)
        var rankFree = [Double](repeating: 0, count: shape.ranks)
        let waits = table.walk { rank, position, action, recomputed in
            var start = rankFree[rank]
            var cause = position > 0 ? Cause.rank : .none
            Dependencies.forEach(of: action, in: shape, recomputed: recomputed) { dependency in
                let product = index.product(dependency)
                let owner = shape.rank(of: dependency.stage)
                let ready = owner == rank ? local[product] : remote[product]
                if ready > start {
                    start = ready
                    cause = .action(rank: owner, position: Int(places[product]))
                }
            }
            let end = start + costs.duration(action, on: rank)
            outcome.starts[rank][position] = start
            outcome.ends[rank][position] = end
            outcome.causes[rank][position] = cause
            rankFree[rank] = end
            let product = index.product(of: action)
            local[product] = end
            places[product] = Int32(position)
            guard let route = links.route(of: action) else { return }
            let sent = max(end, linkFree[route.link]) + route.occupancy
            linkFree[route.link] = sent
            remote[product] = sent + route.latency
            if recordsMessages {
                outcome.arrows.append(
                    Arrow(
                        from: rank, to: route.peer, action: action, departure: end, arrival: remote[product],
                        bytes: route.bytes))
            }
        }
        guard waits.isEmpty else {
            try table.validate()
            preconditionFailure("a valid table ran into a wait")
        }
        return outcome
    }
}
