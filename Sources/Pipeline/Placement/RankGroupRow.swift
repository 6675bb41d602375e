import Hardware

/// Neighbouring ranks of one node, in a line of the report: one rank, or many of which the same is to be said.
struct RankGroupRow {
    let ranks: [RankRow]

    static let header = ["rank", "node", "local rank", "role", "may use cores", "threads", "pinned to"]

    /// - Parameter each: a line for every rank
    static func rows(_ ranks: [RankRow], each: Bool) -> [RankGroupRow] {
        guard !each else { return ranks.map { RankGroupRow(ranks: [$0]) } }
        var groups: [[RankRow]] = []
        for rank in ranks {
            if let last = groups.last?.last, last.node == rank.node, last.rank + 1 == rank.rank,
                last.threads == rank.threads, last.isFree == rank.isFree, last.isMisplaced == rank.isMisplaced
            {
                groups[groups.count - 1].append(rank)
            } else {
                groups.append([rank])
            }
        }
        return groups.map { RankGroupRow(ranks: $0) }
    }

    var cells: [String] {
        let (first, last) = (ranks[0], ranks[ranks.count - 1])
        let threads = ranks.count == 1 ? "\(first.threads)" : "\(ranks.count) x \(first.threads)"
        return [
            span(first.rank, last.rank), first.node, span(first.localRank, last.localRank),
            ranks.count == 1 ? first.role : "\(first.role) ... \(last.role)",
            CoreList(ranks.flatMap(\.allowed)).description, threads, pinned,
        ]
    }

    private var pinned: String {
        let cores = CoreList(ranks.flatMap(\.pinned)).description
        return ranks[0].isFree ? "not pinned (free on \(cores))" : cores
    }

    private func span(_ first: Int, _ last: Int) -> String { first == last ? "\(first)" : "\(first)-\(last)" }
}
