/// Gives every rank its number of threads on cores it may use, at most `perCore` threads on a core: a flow from ranks
/// to cores, found by augmenting paths.
///
/// Ranks begin their search at different places of their lists, in proportion to their number, so that they spread over
/// the machine's sockets and memories. The order of the search is fixed, hence so is the answer.
struct CoreMatching {
    private let allowed: [[Int]]
    private let threads: Int
    private let perCore: Int
    /// Threads of a rank on a core.
    private var placed: [[Int: Int]]
    private var load: [Int: Int] = [:]

    init(_ allowed: [[Int]], threads: Int, perCore: Int) {
        self.allowed = allowed.enumerated().map { rank, cores in
            let first = rank * cores.count / allowed.count
            return Array(cores[first...] + cores[..<first])
        }
        self.threads = threads
        self.perCore = perCore
        placed = Array(repeating: [:], count: allowed.count)
    }

    /// Cores per rank, ascending, or nil when not everybody fits.
    func cores() -> [[Int]]? {
        var matching = self
        for rank in allowed.indices {
            for _ in 0..<threads {
                var visited = Set<Int>()
                if !matching.place(rank, &visited) { return nil }
            }
        }
        return matching.placed.map { $0.flatMap { Array(repeating: $0.key, count: $0.value) }.sorted() }
    }

    /// Puts one more thread of `rank` on a core, moving threads of others where that makes room.
    private mutating func place(_ rank: Int, _ visited: inout Set<Int>) -> Bool {
        // A rank with more threads than cores must double up, and then does so evenly.
        let perRank = (threads + allowed[rank].count - 1) / allowed[rank].count
        for core in allowed[rank] where placed[rank][core, default: 0] < perRank && !visited.contains(core) {
            visited.insert(core)
            if load[core, default: 0] < perCore {
                load[core, default: 0] += 1
                placed[rank][core, default: 0] += 1
                return true
            }
            for other in allowed.indices where other != rank && placed[other][core, default: 0] > 0 {
                if place(other, &visited) {
                    placed[other][core, default: 0] -= 1
                    placed[rank][core, default: 0] += 1
                    return true
                }
            }
        }
        return false
    }
}
