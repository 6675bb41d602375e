import ArgumentParser
import Simulation

/// Links between ranks.
struct NetworkOptions: ParsableArguments {
    @Option(help: "Link between nodes as latency,bandwidth such as 50us,1gbit.")
    var network: String?

    @Option(help: "Link between ranks of one node as latency,bandwidth.")
    var localNetwork: String?

    @Option(help: "Node of every rank, separated by commas, such as 0,0,1,1; each rank has its own if not given.")
    var nodes: String?

    @Option(help: "A link that differs, as NODE-NODE:latency,bandwidth, both ways; may be repeated.")
    var link: [String] = []

    func network(ranks: Int, fallback costs: CostOptions) throws -> Network {
        let file = try costs.file(ranks: ranks).link
        var between = try network.map { try Link(text: $0) } ?? file ?? Link(latency: 0)
        var within = try localNetwork.map { try Link(text: $0) } ?? Link(latency: 0)
        if let message = costs.message {
            between.latency += message / 1e3
            within.latency += message / 1e3
        }
        var result = Network(withinNode: within, betweenNodes: between)
        if let nodes {
            let list = nodes.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard list.count == ranks, list.allSatisfy({ ($0 ?? -1) >= 0 }) else {
                throw ValidationError("--nodes: expected \(ranks) node numbers separated by commas, found '\(nodes)'")
            }
            result.nodes = list.compactMap(\.self)
        }
        for entry in link {
            let parts = entry.split(separator: ":", maxSplits: 1)
            let ends = parts.first?.split(separator: "-").map { Int($0) } ?? []
            guard parts.count == 2, ends.count == 2, let a = ends[0], let b = ends[1] else {
                throw ValidationError("--link: expected NODE-NODE:latency,bandwidth, found '\(entry)'")
            }
            let exception = try Link(text: String(parts[1]))
            result.exceptions[.init(from: a, to: b)] = exception
            result.exceptions[.init(from: b, to: a)] = exception
        }
        return result
    }
}
