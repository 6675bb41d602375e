import Glibc
import Hardware
import MPI

/// The machine, the ranks on it, and who is pinned where, as text.
package struct TopologyReport {
    private let nodes: [(name: String, machine: String)]
    private let rows: [RankRow]
    /// Cores by memory node, of this process' node: others of the same make have the same.
    private let memoryNodes: [(number: Int, cores: [Int])]
    private let quota: CPUQuota?

    /// Ranks that have a line each unless all are asked for.
    private static let mostRows = 16

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
        rows = try world.allGather(row)
        let machines = try world.allGather(world.localRank == 0 ? TopologyReport.text(of: topology) : nil)
        nodes = zip(rows, machines).compactMap { row, machine in machine.map { (row.node, $0) } }
        memoryNodes = Self.memoryNodes(of: topology)
        quota = placement.quota
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
        memoryNodes = Self.memoryNodes(of: topology)
        quota = placements.first?.quota
        try topology.unpin()
    }

    private static func memoryNodes(of topology: Topology) -> [(number: Int, cores: [Int])] {
        Dictionary(grouping: topology.cores, by: \.numaNode).map { ($0.key, $0.value.map(\.index)) }
            .sorted { $0.0 < $1.0 }
    }

    /// - Parameter allRanks: a line for every rank, however many there are
    package func text(allRanks: Bool = false) -> String {
        var text = ""
        for (machine, names) in machines {
            text += "\(names.count == 1 ? "node" : "nodes") \(names.joined(separator: ", "))\n\(machine)\n"
        }
        let groups = RankGroupRow.rows(rows, each: allRanks || rows.count <= Self.mostRows)
        text += Columns([RankGroupRow.header] + groups.map(\.cells), rightAligned: [0, 2, 5]).text
        text += memoryTable
        if let quota { text += "\nthe processors' time is limited to \(quota.description)\n" }
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
        let misplaced = rows.filter(\.isMisplaced)
        if let first = misplaced.first {
            let ranks = CoreList(misplaced.map(\.rank))
            let found = first.isFree ? "are not bound" : "are on \(CoreList(first.pinned))"
            warnings.append(
                "warning: threads of rank(s) \(ranks) are not where they should be: those of rank \(first.rank) should "
                    + "be on core(s) "
                    + "\(CoreList(first.planned)) and \(found). The system doesn't let threads be bound here, or the "
                    + "topology isn't this machine's (HWLOC_ variables)."
            )
        }
        return warnings
    }

    /// How the threads of the first node lie over its memories; nothing where it has one.
    private var memoryTable: String {
        guard memoryNodes.count > 1, let node = rows.first?.node else { return "" }
        let here = rows.filter { $0.node == node }
        let lines = memoryNodes.map { number, cores in
            let near = here.filter { !Set($0.planned).isDisjoint(with: cores) }
            let threads = near.reduce(0) { $0 + Set($1.planned).intersection(cores).count }
            let ranks = near.isEmpty ? "-" : "\(CoreList(near.map(\.rank)))"
            return ["\(number)", "\(CoreList(cores))", "\(threads)", ranks]
        }
        let title = Set(rows.map(\.node)).count > 1 ? "\nby memory node, on \(node):\n" : "\nby memory node:\n"
        return title
            + Columns([["memory node", "cores", "cores with threads", "of ranks"]] + lines, rightAligned: [0, 2]).text
    }

    private static var hostName: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
