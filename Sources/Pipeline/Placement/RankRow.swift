import Hardware

/// A rank's line of the report, as it travels to rank 0.
struct RankRow {
    let rank: Int
    let node: String
    let localRank: Int
    let role: String
    let allowed: String
    /// Where the threads should be, and where the system says they are.
    let planned: String
    let pinned: String
    let warning: String

    /// Makes the rank's team to see where its threads really are.
    init(
        rank: Int, node: String, localRank: Int, role: String, placement: CorePlacement, topology: Topology
    ) throws {
        self.rank = rank
        self.node = node
        self.localRank = localRank
        self.role = role
        allowed = "\(CoreList(topology.usableCores))"
        planned = RankRow.list(placement.cores.map { [$0] })
        let team = try placement.makeTeam(topology)
        pinned = RankRow.list(team.boundCores(topology))
        team.stop()
        warning = placement.warning ?? ""
    }

    /// From `fields` of another rank; nil when they aren't such.
    init?(_ fields: [String]) {
        guard fields.count == 8, let rank = Int(fields[0]), let localRank = Int(fields[2]) else { return nil }
        self.rank = rank
        node = fields[1]
        self.localRank = localRank
        role = fields[3]
        allowed = fields[4]
        planned = fields[5]
        pinned = fields[6]
        warning = fields[7]
    }

    var fields: [String] { ["\(rank)", node, "\(localRank)", role, allowed, planned, pinned, warning] }

    var cells: [String] { ["\(rank)", node, "\(localRank)", role, allowed, pinned] }

    var isMisplaced: Bool { planned != pinned }

    /// One word per thread, `?` for one that is not where it was put.
    private static func list(_ threads: [[Int]]) -> String {
        threads.map { $0.isEmpty ? "?" : "\(CoreList($0))" }.joined(separator: " ")
    }
}
