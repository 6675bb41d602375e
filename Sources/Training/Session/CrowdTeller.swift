import Hardware

/// Decides what is worth a line about other programs on a run's cores. Pure.
package struct CrowdTeller {
    /// What a rank tells of the core of which others have most: their share over the last seconds, at least and at
    /// most, and since the run began.
    package struct Note: Sendable {
        package let core: Int
        package let atLeast: Double
        package let atMost: Double
        package let inAll: Double

        package init(core: Int, atLeast: Double, atMost: Double, inAll: Double) {
            self.core = core
            self.atLeast = atLeast
            self.atMost = atMost
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
        func tell(_ core: TakenCore, _ rank: Int) {
            lines.append(name(rank) + core.description)
            told[rank] = core
            hasTold = true
        }
        for (rank, note) in notes.enumerated() {
            let before = told[rank]
            let share = before?.share ?? 0
            // It has risen when even the least is more, and fallen when even the most is less.
            if note.atLeast >= max(TakenCore.notable, before == nil ? 0 : share + Self.change) {
                tell(TakenCore(core: note.core, share: note.atLeast), rank)
            } else if let before, note.atMost < Self.free {
                lines.append(name(rank) + "core \(before.core): other programs have left it")
                told[rank] = nil
            } else if before != nil, note.atMost >= TakenCore.notable, note.atMost <= share - Self.change {
                tell(TakenCore(core: note.core, share: note.atMost), rank)
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
