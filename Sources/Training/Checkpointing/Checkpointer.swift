import Checkpoints
import Files
import Foundation
import Hardware
import Pipeline

/// Saves checkpoints of a run while it trains. Each process has one, for its ranks; all take the same decisions, since
/// they go by what all ranks have told at the step's boundary.
///
/// A checkpoint's way: the state is copied at a boundary (the only stall), each rank's writer makes its files durable,
/// at the first boundary where all have said so world rank 0's writer adds the manifest and cleans up, and at the first
/// boundary where that is known it is over. A node-local one goes from node to node in between, and the first rank of
/// each node commits.
final class Checkpointer {
    /// Where the run stands when a checkpoint is taken.
    struct Position {
        let step: Int
        let skipped: Int
        let skippedInARow: Int
    }

    private struct Flight {
        enum Phase { case writing, copying, committing }

        let level: CheckpointLevel
        var manifest: Manifest
        var phase = Phase.writing
    }

    private let settings: CheckpointSettings
    private let plan: TrainingPlan
    private let group: RankGroup
    /// Of the ranks here; nil where the thread has been refused so far.
    private var writers: [CheckpointWriter?]
    /// Memory for the copies of the ranks here; nil where it has been refused so far.
    private var snapshots: [RankSnapshot?]
    private let desks: Desks
    private let metrics: String?
    private let buddies: CheckpointBuddies
    /// What is to arrive at each rank here from others' nodes.
    private var arrivals: [Int: [(file: Manifest.File, bytes: ArrivalBuffer)]] = [:]
    /// Of a checkpoint that is put off until the text is known.
    private var due: CheckpointLevel?
    private var flight: Flight?
    /// What the writers are doing.
    private var work: [Task<Void, Never>] = []
    /// The step of the newest whole checkpoint, as far as all know.
    private(set) var newest: Int?
    private var newestLevel = CheckpointLevel.shared
    private(set) var statistics = CheckpointStatistics()

    /// The desks of the ranks here.
    private struct Desks: Sendable {
        let byRank: [Int: WriterProgress]
        subscript(_ rank: Int) -> WriterProgress {
            guard let desk = byRank[rank] else { preconditionFailure("rank \(rank) doesn't live here") }
            return desk
        }
    }

    /// - Parameters:
    ///   - newest: the step that the run resumed from
    ///   - metrics: the file that must not fall behind a checkpoint, where world rank 0 lives
    ///   - nodes: of every world rank
    init(
        _ settings: CheckpointSettings, plan: TrainingPlan, group: RankGroup, nodes: [Int], newest: Int?,
        metrics: String?
    ) async throws {
        self.settings = settings
        self.plan = plan
        self.group = group
        self.newest = newest
        self.metrics = metrics
        buddies = settings.buddies(nodes: nodes)
        let desks = Desks(byRank: Dictionary(uniqueKeysWithValues: group.ranks.map { ($0, WriterProgress()) }))
        writers = group.ranks.map { try? CheckpointWriter(rank: $0, desk: desks[$0], settings: settings) }
        self.desks = desks
        snapshots = try await group.makeSnapshots()
        if settings.localEvery > 0, buddies.nodes.count == 1, group.isRoot {
            warn("all ranks share one checkpoint.local_directory on one node: there is no other node to copy to")
        }
    }

    /// What the ranks here have to tell the others.
    var notes: @Sendable (_ rank: Int) -> BoundaryNotes {
        let desks = desks
        return { desks[$0].notes }
    }

    /// Call it at each step's boundary with what all ranks told: moves the checkpoint under way on and takes the next
    /// one if it is time.
    func boundary(_ position: Position, told: [BoundaryNotes]) async throws {
        try await advance(told)
        let isLast = position.step == plan.configuration.training.steps
        let next = [settings.level(after: position.step), due].compactMap({ $0 }).min(by: <)
        guard let level = isLast ? settings.lastLevel : next else { return }
        if !isLast {
            // While a long text is being read for the first time, it might turn out to be another one than before.
            due = plan.text.isKnown ? nil : level
            guard due == nil else { return }
        }
        guard position.skippedInARow == 0 else {
            if group.isRoot {
                warn("no checkpoint is made of step \(position.step): its loss or gradient is not finite")
            }
            return
        }
        try await save(position, level)
    }

    /// Takes a checkpoint now, after the one under way is over; nothing to do where this very step has one.
    ///
    /// - Parameter level: nil for the safest that there is, as for a last checkpoint
    func save(_ position: Position, _ level: CheckpointLevel? = nil) async throws {
        let level = level ?? settings.lastLevel
        guard !has(position.step, level) else { return }
        let start = MonotonicClock.seconds
        let waited = flight != nil
        try await finish()
        let seconds = MonotonicClock.seconds - start
        if waited, seconds > 1, group.isRoot {
            warn(
                """
                step \(position.step) waited \(Int(seconds.rounded())) s for the checkpoint before: storage is \
                slow, raise checkpoint.every
                """
            )
        }
        let copies = try await copies(for: position.step)
        let reports = try await group.capture(copies)
        for rank in group.ranks { try Fault.reach(.snapshotTaken, step: position.step, rank: rank) }
        flight = Flight(
            level: level,
            manifest: Manifest(plan, position, corpus: plan.text.name, run: settings.store.owner?.run))
        work = zip(group.ranks, zip(writers, copies)).compactMap { rank, place in
            let (writer, copy) = place
            if let writer { return Task.detached { await writer.write(position.step, level, copy) } }
            copy?.giveBack()
            CheckpointWriter.refuse(rank, position.step, CheckpointError.noThread, desks[rank])
            return nil
        }
        statistics.add(reports, stall: MonotonicClock.seconds - start)
    }

    /// Memory for a checkpoint's copies, of each rank here; nil where the system refuses it.
    private func copies(for step: Int) async throws -> [RankSnapshot?] {
        if snapshots.contains(where: { $0 == nil }) {
            // Perhaps there is some now.
            snapshots = zip(snapshots, try await group.makeSnapshots()).map { $0 ?? $1 }
        }
        for (i, rank) in group.ranks.enumerated() where writers[i] == nil {
            writers[i] = try? CheckpointWriter(rank: rank, desk: desks[rank], settings: settings)
        }
        return zip(group.ranks, snapshots).map { rank, snapshot in
            let isRefused = (try? Fault.reach(.memory, step: step, rank: rank)) == nil
            return isRefused ? nil : snapshot
        }
    }

    /// Whether a step has a checkpoint, done or under way, that is as safe as one of this level.
    private func has(_ step: Int, _ level: CheckpointLevel) -> Bool {
        func serves(_ other: Int?, _ otherLevel: CheckpointLevel?) -> Bool {
            other == step && (otherLevel == .shared || level == .local)
        }
        return serves(flight?.manifest.step, flight?.level) || serves(newest, newestLevel)
    }

    /// Returns when no checkpoint is under way. All ranks call it at the same boundary.
    func finish() async throws {
        var rest = Duration.milliseconds(1)
        while flight != nil {
            let notes = notes
            try await advance(try await group.exchange { notes($0).values }.map { BoundaryNotes($0) })
            guard flight != nil else { return }
            try await Task.sleep(for: rest)
            rest = min(rest * 2, .milliseconds(100))
        }
    }

    /// What saving has cost, in a line; where world rank 0 lives. All ranks call it.
    func summary() async throws -> String? {
        guard statistics.saved > 0 else { return nil }
        let plain = try await group.plainCopyRate(snapshots)
        guard group.isRoot else { return nil }
        return statistics.line(plainCopyRate: plain)
    }

    /// The step of the newest checkpoint that is still there, where one can look.
    var newestOnDisk: Int? {
        guard newestLevel == .shared else { return newest }
        return (try? settings.store.newest())?.step
    }

    /// Whether world rank 0 finds the newest checkpoint where it was written.
    var newestIsThere: Bool {
        guard let newest else { return false }
        return (try? settings.store(newestLevel, 0).manifest(newest)) != nil
    }

    /// Waits for what is being written and ends the writers' threads.
    func stop() async {
        for work in work { await work.value }
        for writer in writers { writer?.executor.stop() }
    }

    private func advance(_ told: [BoundaryNotes]) async throws {
        guard let current = flight else { return }
        let step = current.manifest.step
        switch current.phase {
        case .writing:
            guard told.allSatisfy({ Int($0[.written]) >= step }) else { return }
            guard !hasFailed(told, step) else { return abandon(current) }
            let desks = desks
            let files = try await group.gather { desks[$0].files }
            flight?.manifest.files = files.joined().sorted { $0.name < $1.name }
            if current.level == .local {
                flight?.phase = .copying
                try await startCopies()
            } else {
                commit()
            }
        case .copying:
            try await takeArrivals()
            guard told.allSatisfy({ Int($0[.copied]) >= step }) else { return }
            if hasFailed(told, step) { abandon(current) } else { commit() }
        case .committing:
            // All go by what all have told, so all let go at the same boundary.
            guard told.allSatisfy({ Int($0[.committed]) >= step }) else { return }
            flight = nil
            arrivals = [:]
            if told.allSatisfy({ Int($0[.kept]) == step }) {
                newest = step
                newestLevel = current.level
                statistics.saved += 1
            } else if group.isRoot {
                let newest = newestOnDisk.map { "that of step \($0)" } ?? "none"
                warn("the checkpoint of step \(step) was given up; the newest whole one is \(newest)")
            }
        }
    }

    private func hasFailed(_ told: [BoundaryNotes], _ step: Int) -> Bool {
        told.contains { Int($0[.failed]) == step }
    }

    /// Whether this rank's writer commits, or takes away, what all have written.
    private func concludes(_ rank: Int, _ level: CheckpointLevel) -> Bool {
        level == .shared ? rank == 0 : buddies.isLead(rank)
    }

    private func commit() {
        guard let flight else { return }
        self.flight?.phase = .committing
        let (manifest, level, metrics) = (flight.manifest, flight.level, metrics)
        for (rank, writer) in zip(group.ranks, writers) {
            guard let writer, concludes(rank, level) else {
                desks[rank].committed(manifest.step, well: true)
                continue
            }
            let flushed = rank == 0 ? metrics : nil
            work.append(Task.detached { await writer.commit(manifest, level, flushing: flushed) })
        }
    }

    private func abandon(_ flight: Flight) {
        self.flight?.phase = .committing
        let (step, level) = (flight.manifest.step, flight.level)
        for (rank, writer) in zip(group.ranks, writers) {
            guard let writer, concludes(rank, level) else {
                desks[rank].committed(step, well: false)
                continue
            }
            work.append(Task.detached { await writer.abandon(step, level) })
        }
    }
}

// Copies on other nodes.
extension Checkpointer {
    /// Each rank sends its files to its partner and receives those that it keeps, while training goes on.
    private func startCopies() async throws {
        guard let flight else { return }
        let (files, step, buddies, settings) = (flight.manifest.files, flight.manifest.step, buddies, settings)
        var transfers: [Int: [FileTransfer]] = [:]
        for rank in group.ranks {
            var own: [FileTransfer] = []
            if let partner = buddies.partner(of: rank) {
                for file in files where file.rank == rank {
                    let path = "\(settings.localStore(rank).path(step))/\(file.name)"
                    own.append(.send(try MappedFile(path), to: partner))
                }
            }
            var expected: [(file: Manifest.File, bytes: ArrivalBuffer)] = []
            for client in buddies.kept(by: rank) {
                for file in files where file.rank == client {
                    let buffer = ArrivalBuffer(file.size)
                    own.append(.receive(buffer, from: client))
                    expected.append((file, buffer))
                }
            }
            transfers[rank] = own
            arrivals[rank] = expected
        }
        let all = transfers
        try await group.startCopies { all[$0] ?? [] }
    }

    /// Hands what has arrived to the writers.
    private func takeArrivals() async throws {
        guard let step = flight?.manifest.step else { return }
        for (i, isComplete) in try await group.copiesAreComplete().enumerated() where isComplete {
            guard let copies = arrivals.removeValue(forKey: group.ranks[i]) else { continue }
            guard let writer = writers[i] else { continue }
            work.append(Task.detached { await writer.writeCopies(step, copies) })
        }
    }
}
