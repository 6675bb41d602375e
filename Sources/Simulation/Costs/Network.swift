/// How long a message is under way between two ranks.
public struct Link: Sendable, Equatable {
    /// Seconds from the end of sending to the arrival.
    public var latency: Double
    /// Bytes per second; infinite when only the latency counts.
    public var bandwidth: Double

    /// - Parameters: seconds, and bytes per second
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
        /// The node that sends.
        public let from: Int
        /// The node that receives.
        public let to: Int

        /// The way from one node to another.
        public init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }
    }

    /// Between ranks of one node.
    public var withinNode: Link
    /// Between ranks of two nodes.
    public var betweenNodes: Link
    /// Pairs of nodes with a link of their own.
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

    /// The node of a rank.
    public func node(of rank: Int) -> Int { nodes?[rank] ?? rank }

    /// The link from one rank to another.
    public func link(from: Int, to: Int) -> Link {
        let pair = NodePair(from: node(of: from), to: node(of: to))
        if let exception = exceptions[pair] { return exception }
        return pair.from == pair.to ? withinNode : betweenNodes
    }
}
