/// How long a message is under way between two ranks.
public struct Link: Sendable, Equatable {
    /// Seconds from the end of sending to the arrival.
    public var latency: Double
    /// Bytes per second; infinite when only the latency counts.
    public var bandwidth: Double

    public init(latency: Double, bandwidth: Double = .infinity) {
        self.latency = latency
        self.bandwidth = bandwidth
    }

    /// Seconds for which a message of `bytes` occupies the link.
    public func occupancy(bytes: Int) -> Double { Double(bytes) / bandwidth }
}

/// Links between ranks: one inside a node, one between nodes, and exceptions for pairs of nodes.
public struct Network: Sendable, Equatable {
    /// An ordered pair of nodes.
    public struct NodePair: Hashable, Sendable {
        public let from: Int
        public let to: Int

        public init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }
    }

    public var withinNode: Link
    public var betweenNodes: Link
    public var exceptions: [NodePair: Link]
    /// The node of each rank; nil if every rank has a node of its own.
    public var nodes: [Int]?

    public init(
        withinNode: Link = Link(latency: 0), betweenNodes: Link = Link(latency: 0),
        exceptions: [NodePair: Link] = [:], nodes: [Int]? = nil
    ) {
        self.withinNode = withinNode
        self.betweenNodes = betweenNodes
        self.exceptions = exceptions
        self.nodes = nodes
    }

    /// The same link between any two ranks.
    public init(uniform link: Link) {
        self.init(withinNode: link, betweenNodes: link)
    }

    public func node(of rank: Int) -> Int { nodes?[rank] ?? rank }

    public func link(from: Int, to: Int) -> Link {
        let pair = NodePair(from: node(of: from), to: node(of: to))
        if let exception = exceptions[pair] { return exception }
        return pair.from == pair.to ? withinNode : betweenNodes
    }
}
