import Hardware

/// Decides what is worth a line about other programs on a run's cores. Pure.
package struct CrowdTeller {
    /// What a rank tells of the core of which others have most: their share over the last seconds, and since the run began.
    package struct Note: Sendable {
        package let core: Int
        package let lasting: Double
        package let inAll: Double

        package init(core: Int, lasting: Double, inAll: Double) {
            self.core = core
            self.lasting = lasting
            self.inAll = inAll
        }
    }

    /// A change of the share that is told.
    private static let change = 0.25
    /// A core of which others have less counts as free again.
    private static let free = 0.05

    /// Whether the ranks are in several processes, so that a line must name the rank.
    private let namesRanks: Bool
    /// What was told last of each rank.
    private var told: [Int: TakenCore] = [:]
    private var hasTold = false
    private var last: [Note] = []

    package init(namesRanks: Bool) { self.namesRanks = namesRanks }

    /// After a step in which the ranks told `notes`.
    package mutating func lines(_ notes: [Note]) -> [String] {
        last = notes
        var lines: [String] = []
        for (rank, note) in notes.enumerated() {
            let now = TakenCore(core: note.core, share: note.lasting)
            let before = told[rank]
            if now.isNotable {
                let isNew = before?.core != now.core || abs(now.share - (before?.share ?? 0)) >= Self.change
                guard isNew else { continue }
                lines.append(name(rank) + now.description)
                told[rank] = now
                hasTold = true
            } else if let before, now.share < Self.free {
                lines.append(name(rank) + "core \(before.core): other programs have left it")
                told[rank] = nil
            }
        }
        return lines
    }

    /// At the end of a run that was too short to say anything before.
    package func lastLines() -> [String] {
        if hasTold { return [] }
        return last.enumerated().compactMap { rank, note in
            let all = TakenCore(core: note.core, share: note.inAll)
            return all.isNotable ? name(rank) + all.description : nil
        }
    }

    private func name(_ rank: Int) -> String { namesRanks ? "rank \(rank): " : "" }
}
