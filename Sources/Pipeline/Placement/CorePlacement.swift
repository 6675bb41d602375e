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
    /// What limits the time of its threads, if anything does.
    package let quota: CPUQuota?
    /// Ranks that share the quota, this one included.
    package let quotaSharers: Int

    /// Agrees with the other ranks of this node; all ranks of the world must call it.
    ///
    /// - Parameter threads: threads per rank, 0 for as many as fit evenly.
    package static func agree(in world: MPIWorld, topology: Topology, threads: Int) throws -> CorePlacement {
        let quota = CPUQuota.own
        let allowed = try world.allGather(topology.usableCores, group: .node)
        let quotas = try world.allGather(quota, group: .node)
        let assignment = try CoreAssignment(
            allowed: allowed, threads: threads, most: CPUQuota.shares(quotas),
            units: topology.unitCount)
        return CorePlacement(
            assignment, rank: world.localRank, quota: quota, sharers: quota?.sharers(among: quotas) ?? 1)
    }

    /// The placements of ranks that live in this process.
    package static func inProcess(ranks: Int, topology: Topology, threads: Int) throws -> [CorePlacement] {
        let (assignment, quota) = try assignmentInProcess(ranks: ranks, topology: topology, threads: threads)
        return (0..<ranks).map { CorePlacement(assignment, rank: $0, quota: quota, sharers: ranks) }
    }

    /// The cores of ranks that live in this process, which share its quota.
    package static func assignmentInProcess(
        ranks: Int, topology: Topology, threads: Int
    ) throws -> (CoreAssignment, CPUQuota?) {
        let cores = topology.usableCores
        try CoreAssignment.check(ranks: ranks, threads: threads, cores: cores.count)
        let quota = CPUQuota.own
        let most = quota.map { max(1, $0.threads / ranks) }
        return (
            try CoreAssignment(
                allowed: [[Int]](repeating: cores, count: ranks), threads: threads,
                most: [Int?](repeating: most, count: ranks), units: topology.unitCount), quota
        )
    }

    /// A team on these cores, led by the calling thread.
    package func makeTeam(_ topology: Topology) throws -> Team {
        try Team(topology: topology, cores: cores, oversubscribed: oversubscribed)
    }

    private init(_ assignment: CoreAssignment, rank: Int, quota: CPUQuota?, sharers: Int) {
        cores = assignment.cores[rank]
        oversubscribed = assignment.oversubscribed[rank]
        warning = assignment.warning
        self.quota = quota
        quotaSharers = sharers
    }
}
