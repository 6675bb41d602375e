import Hardware

/// A rank's line of the report, as it travels to rank 0.
struct RankRow {
    let rank: Int
    let node: String
    let localRank: Int
    let role: String
    /// Cores it may use.
    let allowed: [Int]
    let threads: Int
    /// Where its threads should be, and cores that they are bound to, where each is bound to one.
    let planned: [Int]
    let pinned: [Int]
    /// No thread is bound to anything less than all that the rank may use.
    let isFree: Bool
    /// Threads are not where they should be.
    let isMisplaced: Bool
    let warning: String

    /// Makes the rank's team to see where its threads really are.
    init(
        rank: Int, node: String, localRank: Int, role: String, placement: CorePlacement, topology: Topology
    ) throws {
        self.rank = rank
        self.node = node
        self.localRank = localRank
        self.role = role
        allowed = topology.usableCores
        planned = Set(placement.cores).sorted()
        threads = placement.cores.count
        let team = try placement.makeTeam(topology)
        let bound = team.boundCores(topology)
        team.stop()
        pinned = Set(bound.joined()).sorted()
        isFree = bound.allSatisfy { $0 == topology.usableCores } && bound != placement.cores.map { [$0] }
        isMisplaced = bound != placement.cores.map { [$0] }
        warning = placement.warning ?? ""
    }

    /// From `fields` of another rank; nil when they aren't such.
    init?(_ fields: [String]) {
        func numbers(_ text: String) -> [Int] { text.split(separator: ",").compactMap { Int($0) } }
        guard fields.count == 11, let rank = Int(fields[0]), let localRank = Int(fields[2]),
            let threads = Int(fields[5])
        else { return nil }
        self.rank = rank
        node = fields[1]
        self.localRank = localRank
        role = fields[3]
        allowed = numbers(fields[4])
        self.threads = threads
        planned = numbers(fields[6])
        pinned = numbers(fields[7])
        isFree = fields[8] == "true"
        isMisplaced = fields[9] == "true"
        warning = fields[10]
    }

    var fields: [String] {
        func text(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }
        return [
            "\(rank)", node, "\(localRank)", role, text(allowed), "\(threads)", text(planned), text(pinned),
            "\(isFree)",
            "\(isMisplaced)", warning,
        ]
    }
}
