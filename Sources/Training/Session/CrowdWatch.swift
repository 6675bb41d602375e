import Hardware
import Pipeline
import Locks

/// Notices that other programs use a run's cores, and says so when it lasts: once, and again when it has changed much.
///
/// Every process reads its own threads now and then and tells the others at the step's boundary; the process of world
/// rank 0 says it.
final class CrowdWatch: Sendable {
    /// Seconds between two readings, and those of each of the two stretches that must agree.
    private static let interval = 0.5
    private static let stretch = 3.0

    private let rank: Int
    private let ownCores: Set<Int>
    private let readings: Lock<[CoreUse]>
    private let notes = Lock(BoundaryNotes())
    private let teller: Lock<CrowdTeller>

    /// - Parameter ranks: of this process, in a world on `host`
    init(ranks: [Int], host: RankHost) {
        rank = ranks[0]
        // A core that a rank of another process was given too isn't others'; that is said at the start.
        let others = host.cores.indices.filter { !ranks.contains($0) && host.nodes[$0] == host.nodes[ranks[0]] }
        ownCores = Set(ranks.flatMap { host.cores[$0] }).subtracting(others.flatMap { host.cores[$0] })
        readings = Lock([CoreUse.now()])
        teller = Lock(CrowdTeller(namesRanks: ranks.count < host.cores.count))
    }

    /// What a rank of this process tells at a boundary.
    func note(_ rank: Int, in notes: inout BoundaryNotes) {
        guard rank == self.rank else { return }
        let own = readings.withLock { readings in
            if MonotonicClock.seconds - readings[readings.count - 1].wall >= Self.interval {
                readings.append(CoreUse.now())
                self.notes.withLock { $0 = found(readings) }
                // The first one stays: the whole run is of interest, too.
                while readings.count > 2, readings[readings.count - 1].wall - readings[2].wall >= 2 * Self.stretch {
                    readings.remove(at: 1)
                }
            }
            return self.notes.withLock { $0 }
        }
        for note in [BoundaryNotes.Note.takenCore, .takenAtLeast, .takenAtMost, .takenInAll] { notes[note] = own[note] }
    }

    private func found(_ readings: [CoreUse]) -> BoundaryNotes {
        var notes = BoundaryNotes()
        let last = readings[readings.count - 1]
        let inAll = worst(last.taken(since: readings[0]))
        notes[.takenCore] = Double(inAll?.core ?? 0)
        notes[.takenInAll] = inAll?.share ?? 0
        guard let middle = readings.last(where: { last.wall - $0.wall >= Self.stretch }),
            let first = readings.last(where: { middle.wall - $0.wall >= Self.stretch })
        else { return notes }
        let (before, now) = (middle.taken(since: first), last.taken(since: middle))
        // What lasts is what both stretches saw.
        let lasting = now.compactMap { now in
            before.first { $0.core == now.core }.map { TakenCore(core: now.core, share: min(now.share, $0.share)) }
        }
        notes[.takenAtMost] = (before + now).filter { ownCores.contains($0.core) }.map(\.share).max() ?? 0
        guard let worst = worst(lasting) else { return notes }
        notes[.takenAtLeast] = worst.share
        if worst.isNotable {
            notes[.takenCore] = Double(worst.core)
            notes[.takenInAll] = last.taken(since: readings[0]).first { $0.core == worst.core }?.share ?? 0
        }
        return notes
    }

    /// What other programs had of each rank's cores since a reading, where it is notable. All ranks call it.
    func taken(since begin: CoreUse, by group: RankGroup) async throws -> [(rank: Int, core: TakenCore)] {
        let own = worst(CoreUse.now().taken(since: begin))
        let told = try await group.gather { $0 == self.rank ? own : nil }
        return told.enumerated().compactMap { rank, core in
            core.flatMap { $0.isNotable ? (rank, $0) : nil }
        }
    }

    private func worst(_ cores: [TakenCore]) -> TakenCore? {
        cores.filter { ownCores.contains($0.core) }.max { $0.share < $1.share }
    }

    /// What to say after a step in which all ranks told `notes`.
    func lines(_ notes: [BoundaryNotes]) -> [String] {
        teller.withLock {
            $0.lines(
                notes.map {
                    CrowdTeller.Note(
                        core: Int($0[.takenCore]), atLeast: $0[.takenAtLeast], atMost: $0[.takenAtMost],
                        inAll: $0[.takenInAll])
                })
        }
    }

    /// What to say at the end of a run that was too short to say it before.
    func lastLines() -> [String] { teller.withLock { $0.lastLines() } }
}
