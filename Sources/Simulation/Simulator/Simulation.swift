import Schedules

/// A table run under costs and a network, each action as early as its rank and all that it needs allow.
///
/// Messages take no compute time. They leave a rank in the order in which they were produced; a link carries one at a
/// time in each direction. Linear in the number of actions.
package struct Simulation: Sendable {
    package let table: ScheduleTable
    package let costs: Costs
    package let network: Network
    /// Start of each action in seconds, by rank and position.
    package let starts: [[Double]]
    /// End of each action in seconds, by rank and position.
    package let ends: [[Double]]
    /// Why each action didn't start earlier, by rank and position.
    let causes: [[Cause]]
    /// Messages in the order in which they were sent.
    package let arrows: [Arrow]

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
    package struct Arrow: Sendable {
        package let from: Int
        package let to: Int
        package let action: Action
        /// When the data was ready.
        package let departure: Double
        package let arrival: Double
        package let bytes: Int
    }

    /// - Parameter recordsMessages: false leaves `arrows` empty, for searches that only want times.
    /// - Throws: `ScheduleError` if the table cannot run.
    package init(
        _ table: ScheduleTable, costs: Costs, network: Network = Network(), recordsMessages: Bool = true
    ) throws {
        self.table = table
        self.costs = costs
        self.network = network
        let shape = table.shape
        let index = TableIndex(shape)
        let links = Links(shape, costs: costs, network: network)
        // When a product is there for its own rank, and when for the neighbour that gets it as a message.
        var local = [Double](repeating: 0, count: index.productCount)
        var remote = local
        var places = [Int32](repeating: 0, count: index.productCount)
        var linkFree = [Double](repeating: 0, count: links.count)
        var rankFree = [Double](repeating: 0, count: shape.ranks)
        var starts = table.rows.map { [Double](repeating: 0, count: $0.count) }
        var ends = starts
        var causes = table.rows.map { [Cause](repeating: .none, count: $0.count) }
        var arrows: [Arrow] = []
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
            starts[rank][position] = start
            ends[rank][position] = end
            causes[rank][position] = cause
            rankFree[rank] = end
            let product = index.product(of: action)
            local[product] = end
            places[product] = Int32(position)
            guard let route = links.route(of: action) else { return }
            let sent = max(end, linkFree[route.link]) + route.occupancy
            linkFree[route.link] = sent
            remote[product] = sent + route.latency
            if recordsMessages {
                arrows.append(
                    Arrow(
                        from: rank, to: route.peer, action: action, departure: end, arrival: remote[product],
                        bytes: route.bytes))
            }
        }
        guard waits.isEmpty else {
            try table.validate()
            preconditionFailure("a valid table ran into a wait")
        }
        self.starts = starts
        self.ends = ends
        self.causes = causes
        self.arrows = arrows
    }
}

/// The way of each stage's products to the neighbouring stage, looked up once.
private struct Links {
    struct Route {
        let link: Int
        let peer: Int
        let bytes: Int
        let occupancy: Double
        let latency: Double
    }

    private var activations: [Route?] = []
    private var gradients: [Route?] = []
    private(set) var count = 0

    init(_ shape: ScheduleShape, costs: Costs, network: Network) {
        var numbers: [Network.NodePair: Int] = [:]
        func route(from stage: Int, to other: Int) -> Route? {
            guard other >= 0, other < shape.stages else { return nil }
            let (from, to) = (shape.rank(of: stage), shape.rank(of: other))
            guard from != to else { return nil }
            let link = network.link(from: from, to: to)
            let bytes = costs.messageBytes[min(stage, other)]
            let number = numbers[.init(from: from, to: to), default: numbers.count]
            numbers[.init(from: from, to: to)] = number
            return Route(
                link: number, peer: to, bytes: bytes, occupancy: link.occupancy(bytes: bytes), latency: link.latency)
        }
        activations = (0..<shape.stages).map { route(from: $0, to: $0 + 1) }
        gradients = (0..<shape.stages).map { route(from: $0, to: $0 - 1) }
        count = numbers.count
    }

    func route(of action: Action) -> Route? {
        if action.kind == .forward { return activations[action.stage] }
        return action.kind.givesInputGradient ? gradients[action.stage] : nil
    }
}
