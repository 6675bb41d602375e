/// How long a message is under way between two ranks.
package struct Link: Sendable, Equatable {
    /// Seconds from the end of sending to the arrival.
    package var latency: Double
    /// Bytes per second; infinite when only the latency counts.
    package var bandwidth: Double

    package init(latency: Double, bandwidth: Double = .infinity) {
        self.latency = latency
        self.bandwidth = bandwidth
    }

    /// Seconds for which a message of `bytes` occupies the link.
    package func occupancy(bytes: Int) -> Double { Double(bytes) / bandwidth }
}

/// Links between ranks: one inside a node, one between nodes, and exceptions for pairs of nodes.
package struct Network: Sendable, Equatable {
    /// An ordered pair of nodes.
    package struct NodePair: Hashable, Sendable {
        package let from: Int
        package let to: Int

        package init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }
    }

    package var withinNode: Link
    package var betweenNodes: Link
    package var exceptions: [NodePair: Link]
    /// The node of each rank; nil if every rank has a node of its own.
    package var nodes: [Int]?

    package init(
        withinNode: Link = Link(latency: 0), betweenNodes: Link = Link(latency: 0),
        exceptions: [NodePair: Link] = [:], nodes: [Int]? = nil
    ) {
        self.withinNode = withinNode
        self.betweenNodes = betweenNodes
        self.exceptions = exceptions
        self.nodes = nodes
    }

    /// The same link between any two ranks.
    package init(uniform link: Link) {
        self.init(withinNode: link, betweenNodes: link)
    }

    package func node(of rank: Int) -> Int { nodes?[rank] ?? rank }

    package func link(from: Int, to: Int) -> Link {
        let pair = NodePair(from: node(of: from), to: node(of: to))
        if let exception = exceptions[pair] { return exception }
        return pair.from == pair.to ? withinNode : betweenNodes
    }
}
