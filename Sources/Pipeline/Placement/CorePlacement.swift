import Hardware
import MPI

/// The cores of a rank's threads.
package struct CorePlacement: Sendable, Equatable {
    /// One entry per thread, the leader's first.
    package let cores: [Int]
    /// Whether others, or threads of its own, share one of them.
    package let oversubscribed: Bool
    /// What the user should know about this rank's node; the same for all its ranks.
    package let warning: String?

    /// Agrees with the other ranks of this node; all ranks of the world must call it.
    ///
    /// - Parameter threads: threads per rank, 0 for as many as fit evenly.
    package static func agree(in world: MPIWorld, topology: Topology, threads: Int) throws -> CorePlacement {
        let allowed = try world.allGather(topology.usableCores.map(Double.init), group: .node)
        let assignment = try CoreAssignment(
            allowed: allowed.map { $0.map { Int($0) } }, threads: threads, units: topology.unitCount)
        return CorePlacement(assignment, rank: world.localRank)
    }

    /// The placements of ranks that live in this process.
    package static func inProcess(ranks: Int, topology: Topology, threads: Int) throws -> [CorePlacement] {
        let allowed = [[Int]](repeating: topology.usableCores, count: ranks)
        let assignment = try CoreAssignment(allowed: allowed, threads: threads, units: topology.unitCount)
        return (0..<ranks).map { CorePlacement(assignment, rank: $0) }
    }

    /// A team on these cores, led by the calling thread.
    package func makeTeam(_ topology: Topology) throws -> Team {
        try Team(topology: topology, cores: cores, oversubscribed: oversubscribed)
    }

    private init(_ assignment: CoreAssignment, rank: Int) {
        cores = assignment.cores[rank]
        oversubscribed = assignment.oversubscribed[rank]
        warning = assignment.warning
    }
}
