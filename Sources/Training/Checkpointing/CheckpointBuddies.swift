/// Who keeps whose files beside its own: ranks that share a node-local directory count as a node, and each rank's files
/// are copied to a rank of the next node.
package struct CheckpointBuddies: Sendable, Equatable {
    /// The ranks of each node, both ascending.
    package let nodes: [[Int]]
    private let node: [Int]

    /// - Parameter keys: for each world rank, what names its directory across all nodes
    package init(keys: [String]) {
        var index: [String: Int] = [:]
        var nodes: [[Int]] = []
        var node: [Int] = []
        for (rank, key) in keys.enumerated() {
            let number = index[key] ?? nodes.count
            if number == nodes.count {
                index[key] = number
                nodes.append([])
            }
            nodes[number].append(rank)
            node.append(number)
        }
        self.nodes = nodes
        self.node = node
    }

    /// The ranks of a rank's node, itself among them.
    package func nodeRanks(_ rank: Int) -> [Int] { nodes[node[rank]] }

    /// The rank that does for its node what only one should.
    package func isLead(_ rank: Int) -> Bool { nodeRanks(rank)[0] == rank }

    /// The rank that keeps a copy of this one's files; nil when there is one node only.
    package func partner(of rank: Int) -> Int? {
        guard nodes.count > 1, let place = nodeRanks(rank).firstIndex(of: rank) else { return nil }
        let next = nodes[(node[rank] + 1) % nodes.count]
        return next[place % next.count]
    }

    /// The ranks whose files this one keeps a copy of.
    package func kept(by rank: Int) -> [Int] { node.indices.filter { partner(of: $0) == rank } }
}
