import Glibc
import Hardware
import MPI

/// The machine, the ranks on it, and who is pinned where, as text.
package struct TopologyReport {
    private let nodes: [(name: String, machine: String)]
    private let rows: [RankRow]

    /// Asks all ranks; every rank of the world must call it, with the calling thread as the leader of its team.
    ///
    /// - Parameters:
    ///   - threads: threads per rank, 0 for as many as fit evenly.
    ///   - role: what a rank does in the pipeline ("stage 0").
    package init(world: MPIWorld, topology: Topology, threads: Int, role: (Int) -> String) throws {
        let placement = try CorePlacement.agree(in: world, topology: topology, threads: threads)
        world.isOversubscribed = placement.oversubscribed
        let row = try RankRow(
            rank: world.rank, node: world.hostName, localRank: world.localRank, role: role(world.rank),
            placement: placement, topology: topology)
        let all = try world.allGather(row.fields.joined(separator: "\u{1F}"))
        rows = all.compactMap {
            RankRow($0.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init))
        }
        let machine = world.localRank == 0 ? TopologyReport.text(of: topology) : ""
        let machines = try world.allGather(machine)
        nodes = zip(rows, machines).filter { !$1.isEmpty }.map { ($0.node, $1) }
    }

    /// For `ranks` ranks inside this process.
    package init(ranks: Int, topology: Topology, threads: Int, role: (Int) -> String) throws {
        let node = TopologyReport.hostName
        let placements = try CorePlacement.inProcess(ranks: ranks, topology: topology, threads: threads)
        rows = try placements.enumerated().map { rank, placement in
            try RankRow(
                rank: rank, node: node, localRank: rank, role: role(rank), placement: placement, topology: topology)
        }
        nodes = [(node, TopologyReport.text(of: topology))]
        try topology.unpin()
    }

    package var text: String {
        var text = ""
        for (machine, names) in machines {
            text += "\(names.count == 1 ? "node" : "nodes") \(names.joined(separator: ", "))\n\(machine)\n"
        }
        let header = ["rank", "node", "local rank", "role", "may use cores", "threads pinned to"]
        text += Columns([header] + rows.map(\.cells), rightAligned: [0, 2]).text
        for warning in warnings { text += "\n\(warning)\n" }
        return text
    }

    /// Nodes that are alike are described once.
    private var machines: [(machine: String, names: [String])] {
        var machines: [(machine: String, names: [String])] = []
        for (name, machine) in nodes {
            if let index = machines.firstIndex(where: { $0.machine == machine }) {
                machines[index].names.append(name)
            } else {
                machines.append((machine, [name]))
            }
        }
        return machines
    }

    private var warnings: [String] {
        var warnings: [String] = []
        for row in rows where row.localRank == 0 && !row.warning.isEmpty {
            warnings.append("warning: on node \(row.node): \(row.warning)")
        }
        for row in rows where row.isMisplaced {
            warnings.append(
                "warning: rank \(row.rank) should have threads on core(s) \(row.planned) and has them on \(row.pinned)."
            )
        }
        return warnings
    }

    private static var hostName: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
