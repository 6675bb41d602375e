import Schedules

/// The way of each stage's products to the neighbouring stage, looked up once.
struct Links {
    struct Route {
        /// The number of the ordered pair of ranks.
        let link: Int
        let peer: Int
        let bytes: Int
        /// Seconds for which the message occupies the link.
        let occupancy: Double
        /// Seconds from then to its arrival.
        let latency: Double
    }

    private let activations: [Route?]
    private let gradients: [Route?]
    /// How many ordered pairs of ranks have a link.
    let count: Int

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

    /// The way of what `action` makes to the neighbouring stage; nil if it stays on the rank.
    func route(of action: Action) -> Route? {
        if action.kind == .forward { return activations[action.stage] }
        return action.kind.givesInputGradient ? gradients[action.stage] : nil
    }
}
