import Hardware
import MPI

/// A rank's line of the report, as it travels to rank 0.
package struct RankRow: Equatable {
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
}

extension RankRow: WireValue {
    package func write(to writer: inout WireWriter) {
        rank.write(to: &writer)
        node.write(to: &writer)
        localRank.write(to: &writer)
        role.write(to: &writer)
        allowed.write(to: &writer)
        threads.write(to: &writer)
        planned.write(to: &writer)
        pinned.write(to: &writer)
        isFree.write(to: &writer)
        isMisplaced.write(to: &writer)
        warning.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        rank = try reader.next()
        node = try reader.next()
        localRank = try reader.next()
        role = try reader.next()
        allowed = try reader.next()
        threads = try reader.next()
        planned = try reader.next()
        pinned = try reader.next()
        isFree = try reader.next()
        isMisplaced = try reader.next()
        warning = try reader.next()
    }
}
