import ArgumentParser
import Schedules
import Simulation

/// Links between ranks.
struct NetworkOptions: ParsableArguments {
    @Option(help: "Link between nodes as latency,bandwidth such as 50us,1gbit.")
    var network: String?

    @Option(help: "Link between ranks of one node as latency,bandwidth; with --nodes.")
    var localNetwork: String?

    @Option(help: "Node of every rank, separated by commas, such as 0,0,1,1; each rank has its own if not given.")
    var nodes: String?

    @Option(help: "A link that differs, as NODE-NODE:latency,bandwidth, both ways; may be repeated.")
    var link: [String] = []

    func validate() throws {
        if let network { _ = try Self.link(network, "--network") }
        if let localNetwork {
            _ = try Self.link(localNetwork, "--local-network")
            guard nodes != nil else {
                throw ValidationError(
                    """
                    --local-network changes nothing while each rank has a node of its own: give --nodes, such as \
                    0,0,1,1
                    """
                )
            }
        }
    }

    private static func link(_ text: String, _ option: String) throws -> Link {
        do { return try Link(text: text) } catch { throw ValidationError("\(option): \(error)") }
    }

    /// - Parameters:
    ///   - link: between nodes, where no option says it
    ///   - message: milliseconds that every message takes beside
    func network(ranks: Int, link standard: Link?, message: Double?) throws -> Network {
        var between = try network.map { try Self.link($0, "--network") } ?? standard ?? Link(latency: 0)
        var within = try localNetwork.map { try Self.link($0, "--local-network") } ?? Link(latency: 0)
        if let message {
            between.latency += message / 1e3
            within.latency += message / 1e3
        }
        var result = Network(withinNode: within, betweenNodes: between)
        if let nodes {
            let list = nodes.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard list.count == ranks, list.allSatisfy({ Bounds.nodeNumbers.contains($0 ?? -1) }) else {
                throw ValidationError(
                    "--nodes: expected \(ranks) node numbers separated by commas, found '\(nodes.shown)'")
            }
            result.nodes = list.compactMap(\.self)
        }
        for (a, b, exception) in try exceptions(result, ranks: ranks) {
            result.exceptions[.init(from: a, to: b)] = exception
            result.exceptions[.init(from: b, to: a)] = exception
        }
        if nodes != nil, within == between, result.exceptions.isEmpty {
            throw ValidationError(
                """
                --nodes changes nothing while links inside and between nodes are alike: give --network or \
                --local-network
                """
            )
        }
        return result
    }

    /// The links that differ, each between nodes that are there.
    private func exceptions(_ network: Network, ranks: Int) throws -> [(Int, Int, Link)] {
        var ranksOfNode: [Int: Int] = [:]
        for rank in 0..<ranks { ranksOfNode[network.node(of: rank), default: 0] += 1 }
        let numbers = ranksOfNode.keys.sorted()
        let names = numbers.prefix(8).map(String.init).joined(separator: ", ") + (numbers.count > 8 ? ", ..." : "")
        var seen: Set<[Int]> = []
        return try link.map { entry in
            let parts = entry.split(separator: ":", maxSplits: 1)
            let ends = parts.first?.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) } ?? []
            guard parts.count == 2, ends.count == 2, let a = ends[0], let b = ends[1] else {
                throw ValidationError("--link: expected NODE-NODE:latency,bandwidth, found '\(entry.shown)'")
            }
            for node in [a, b] where ranksOfNode[node] == nil {
                throw ValidationError("--link: nodes are \(names), found node \(node) in '\(entry.shown)'")
            }
            guard a != b || ranksOfNode[a] ?? 0 > 1 else {
                throw ValidationError(
                    """
                    --link: node \(a) has one rank, which sends itself nothing: expected two nodes of \(names), \
                    found '\(entry.shown)'
                    """
                )
            }
            guard seen.insert([min(a, b), max(a, b)]).inserted else {
                throw ValidationError("--link: the link \(a)-\(b) is given twice; it counts both ways")
            }
            return (a, b, try Self.link(String(parts[1]), "--link"))
        }
    }

    /// What is given and changes nothing where messages cross these pairs of nodes only.
    func idleOptions(crossing pairs: Set<Network.NodePair>) -> [String] {
        var notes: [String] = []
        if network != nil, pairs.allSatisfy({ $0.from == $0.to }) {
            notes.append("--network changes nothing here: no message goes from node to node")
        }
        if localNetwork != nil, pairs.allSatisfy({ $0.from != $0.to }) {
            notes.append("--local-network changes nothing here: no message stays on its node")
        }
        for entry in link {
            let ends = entry.prefix { $0 != ":" }.split(separator: "-").compactMap { Int($0) }
            guard ends.count == 2 else { continue }
            if pairs.isDisjoint(with: [.init(from: ends[0], to: ends[1]), .init(from: ends[1], to: ends[0])]) {
                notes.append("--link \(entry) changes nothing here: no message goes that way")
            }
        }
        return notes
    }
}
