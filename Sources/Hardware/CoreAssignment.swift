/// Which cores the threads of each rank of one node are pinned to.
///
/// A pure function of what the ranks may use and how many threads they want, so that every rank of the node computes
/// the same answer. Two ranks share a core only when there are more threads than cores.
package struct CoreAssignment: Sendable, Equatable {
    /// Cores per rank, ascending, one entry per thread; no rank has more threads on a core than that can run at a time.
    package let cores: [[Int]]
    /// Whether a rank shares one of its cores with another rank.
    /// A core with two hardware threads isn't shared by two threads of one rank.
    package let oversubscribed: [Bool]
    /// What to tell the user about sharing, nil when nobody shares.
    package let warning: String?

    /// - Parameters:
    ///   - allowed: the cores each rank of the node may use.
    ///   - threads: threads per rank; 0 for as many as fit when ranks that compete for cores get equally many.
    ///   - most: of these, the most of each rank, where a quota says so
    ///   - units: hardware threads of a core. A rank's threads beyond them would only take turns, so there are none.
    /// - Throws: `HardwareError.noUsableCore` when a rank may use none, `tooManyThreads` when no machine could run so
    ///   many.
    package init(
        allowed: [[Int]], threads: Int = 0, most: [Int?]? = nil, units: (_ core: Int) -> Int = { _ in .max }
    ) throws {
        precondition(threads >= 0, "a number of threads is not negative")
        for cores in allowed { try Self.check(ranks: allowed.count, threads: threads, cores: cores.count) }
        let allowed = allowed.map { Set($0).sorted() }
        if let rank = allowed.firstIndex(where: \.isEmpty) { throw HardwareError.noUsableCore(rank: rank) }

        var cores = [[Int]](repeating: [], count: allowed.count)
        for ranks in CoreAssignment.competitors(allowed) {
            // More than all its cores run at a time would be left out again.
            let useful = ranks.map { allowed[$0].reduce(0) { min(threads, $0 + min(threads, units($1))) } }.max() ?? 0
            let found = CoreAssignment.assign(
                ranks.map { allowed[$0] }, threads: min(threads, useful), most: ranks.compactMap { most?[$0] }.min())
            for (rank, chosen) in zip(ranks, found) { cores[rank] = chosen }
        }
        cores = cores.map { own in
            var used: [Int: Int] = [:]
            return own.filter { core in
                used[core, default: 0] += 1
                return used[core, default: 0] <= max(1, units(core))
            }
        }
        var load: [Int: Int] = [:]
        for core in cores.joined() { load[core, default: 0] += 1 }
        self.cores = cores
        var ranks: [Int: Int] = [:]
        for own in cores { for core in Set(own) { ranks[core, default: 0] += 1 } }
        oversubscribed = cores.map { $0.contains { ranks[$0, default: 0] > 1 } }
        let warnings = [
            CoreAssignment.surplus(cores: cores, requested: threads),
            CoreAssignment.warning(cores: cores, load: load, requested: threads),
        ].compactMap(\.self)
        warning = warnings.isEmpty ? nil : warnings.joined(separator: " ")
    }

    /// Threads for each core that a rank may use, and threads of a node's ranks together where it has few cores: more
    /// only wait for each other. (Shares of work are computed by as many threads as the cores run, so that a few too
    /// many cost next to nothing.)
    package static let mostThreadsACore = 64
    package static let mostThreads = 4096

    /// - Parameters:
    ///   - ranks: of this node
    ///   - cores: that each of them may use
    package static func check(ranks: Int, threads: Int, cores: Int) throws {
        guard cores > 0 else { return }
        guard threads <= mostThreadsACore * cores else {
            throw HardwareError.tooManyThreads(threads: threads, ranks: 1, cores: cores, most: mostThreadsACore * cores)
        }
        let most = max(mostThreads, mostThreadsACore * cores)
        guard ranks.saturatingTimes(max(1, threads)) <= most else {
            throw HardwareError.tooManyThreads(threads: max(1, threads), ranks: ranks, cores: cores, most: most)
        }
    }

    /// Ranks grouped so that ranks of different groups have no core in common, by rank order.
    private static func competitors(_ allowed: [[Int]]) -> [[Int]] {
        var groups: [(ranks: [Int], cores: Set<Int>)] = []
        for (rank, cores) in allowed.enumerated() {
            var joined = (ranks: [rank], cores: Set(cores))
            groups.removeAll { group in
                guard !group.cores.isDisjoint(with: joined.cores) else { return false }
                joined.ranks += group.ranks
                joined.cores.formUnion(group.cores)
                return true
            }
            groups.append(joined)
        }
        return groups.map { $0.ranks.sorted() }.sorted { $0[0] < $1[0] }
    }

    private static func assign(_ allowed: [[Int]], threads: Int, most: Int?) -> [[Int]] {
        let available = Set(allowed.joined()).count
        if threads == 0 {
            for fitting in stride(from: min(most ?? available, available / allowed.count), to: 0, by: -1) {
                if let cores = CoreMatching(allowed, threads: fitting, perCore: 1).cores() { return cores }
            }
        }
        // More threads than cores: the least load per core that lets everybody in.
        let wanted = max(1, threads)
        var load = (wanted * allowed.count + available - 1) / available
        while true {
            if let cores = CoreMatching(allowed, threads: wanted, perCore: load).cores() { return cores }
            load += 1
        }
    }

    /// What to tell about threads that there are not.
    private static func surplus(cores: [[Int]], requested: Int) -> String? {
        guard let fewest = cores.map(\.count).min(), fewest < requested else { return nil }
        return
            "\(requested) threads a rank are asked for, but the cores of a rank on this node run \(fewest) at a time:"
            + " there are \(fewest). The results are the same."
    }

    private static func warning(cores: [[Int]], load: [Int: Int], requested: Int) -> String? {
        let shared = load.filter { $0.value > 1 }
        guard let most = shared.values.max() else { return nil }
        let advice =
            requested > 1
            ? "Ask for fewer threads per rank (0 shares the cores evenly) or start fewer ranks per node."
            : "Start fewer ranks per node, or let the launcher give each rank cores of its own."
        return "\(cores.joined().count) threads of \(cores.count) rank(s) on this node are pinned to "
            + "\(load.count) core(s): up to \(most) threads take turns on core(s) \(CoreList(Array(shared.keys)))."
            + " Everything runs, slower. " + advice
    }
}
