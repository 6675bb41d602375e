/// Ranks that share cores because there are more ranks than cores: while more of them compute than there are cores, all
/// slow down alike.
public struct SharedCores: Sendable, Equatable {
    /// Who shares them.
    public var ranks: [Int]
    /// How many of the ranks can compute at full speed at once.
    public var cores: Double

    /// So many cores for these ranks.
    public init(ranks: [Int], cores: Double) {
        self.ranks = ranks
        self.cores = cores
    }

    /// The groups of a replica's ranks that share cores.
    ///
    /// - Parameters:
    ///   - cores: for every rank of the world the cores that its threads are pinned to; what is equal is one core
    ///   - pipelineRanks: ranks of a replica; the first ones count
    public static func groups<Core: Hashable>(cores: [[Core]], pipelineRanks: Int) -> [SharedCores] {
        var groups: [(ranks: [Int], cores: Set<Core>)] = []
        for (rank, own) in cores.enumerated() {
            var joined = (ranks: [rank], cores: Set(own))
            groups.removeAll { group in
                guard !group.cores.isDisjoint(with: joined.cores) else { return false }
                joined.ranks += group.ranks
                joined.cores.formUnion(group.cores)
                return true
            }
            groups.append(joined)
        }
        return groups.compactMap { group in
            let ranks = group.ranks.filter { $0 < pipelineRanks }.sorted()
            let threads = group.ranks.reduce(0) { $0 + cores[$1].count }
            guard ranks.count > 1, threads > group.cores.count else { return nil }
            // Other replicas' ranks take their part of the cores at the same time.
            let share = Double(ranks.count) / Double(group.ranks.count)
            let threadsEach = Double(threads) / Double(group.ranks.count)
            return SharedCores(ranks: ranks, cores: Double(group.cores.count) / threadsEach * share)
        }.sorted { $0.ranks[0] < $1.ranks[0] }
    }
}
