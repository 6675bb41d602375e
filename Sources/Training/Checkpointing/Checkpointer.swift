import Checkpoints
import Foundation
import Hardware
import Pipeline

/// Saves checkpoints of a run while it trains. Each process has one, for its ranks; all take the same decisions, since they go by what all
/// ranks have told at the step's boundary.
///
/// A checkpoint's way: the state is copied at a boundary (the only stall), each rank's writer makes its files durable, at the first boundary where
/// all have said so world rank 0's writer adds the manifest and cleans up, and at the first boundary where that is known it is over.
final class Checkpointer {
    /// Where the run stands when a checkpoint is taken.
    struct Position {
        let step: Int
        let skipped: Int
        let skippedInARow: Int
    }

    private struct Flight {
        var manifest: Manifest
        var isCommitting = false
    }

    private let settings: CheckpointSettings
    private let plan: TrainingPlan
    private let group: RankGroup
    private let writers: [CheckpointWriter]
    private let desks: Desks
    private let metrics: String?
    private lazy var corpus = CorpusFingerprint(plan.corpus).text
    private var flight: Flight?
    /// What the writers are doing.
    private var work: [Task<Void, Never>] = []
    /// The step of the newest whole checkpoint, as far as all know.
    private(set) var newest: Int?
    private(set) var statistics = CheckpointStatistics()

    /// The desks of the ranks here.
    private struct Desks: Sendable {
        let byRank: [Int: CheckpointDesk]
        subscript(_ rank: Int) -> CheckpointDesk {
            guard let desk = byRank[rank] else { preconditionFailure("rank \(rank) doesn't live here") }
            return desk
        }
    }

    /// - Parameters:
    ///   - newest: the step that the run resumed from
    ///   - metrics: the file that must not fall behind a checkpoint, where world rank 0 lives
    init(
        _ settings: CheckpointSettings, plan: TrainingPlan, group: RankGroup, newest: Int?, metrics: String?
    ) async throws {
        self.settings = settings
        self.plan = plan
        self.group = group
        self.newest = newest
        self.metrics = metrics
        let store = settings.store
        writers = try zip(group.ranks, try await group.makeSnapshots()).map {
            try CheckpointWriter(rank: $0, snapshot: $1, store: store)
        }
        desks = Desks(byRank: Dictionary(uniqueKeysWithValues: zip(group.ranks, writers.map(\.desk))))
    }

    /// What the ranks here have to tell the others.
    var notes: @Sendable (_ rank: Int) -> BoundaryNotes {
        let desks = desks
        return { desks[$0].notes }
    }

    /// Call it at each step's boundary with what all ranks told: moves the checkpoint under way on and takes the next one if it is time.
    func boundary(_ position: Position, told: [BoundaryNotes]) async throws {
        try await advance(told)
        if settings.isDue(position.step) || position.step == plan.configuration.training.steps {
            try await save(position)
        }
    }

    /// Takes a checkpoint now, after the one under way is over; nothing to do where this very step has one.
    func save(_ position: Position) async throws {
        guard position.step != flight?.manifest.step, position.step != newest else { return }
        let start = MonotonicClock.seconds
        let waited = flight != nil
        try await finish()
        let seconds = MonotonicClock.seconds - start
        if waited, seconds > 1, group.isRoot {
            warn(
                "step \(position.step) waited \(Int(seconds.rounded())) s for the checkpoint before: storage is slow, raise checkpoint.every"
            )
        }
        let reports = try await group.capture(writers.map(\.snapshot))
        for rank in group.ranks { try Fault.reach(.snapshotTaken, step: position.step, rank: rank) }
        flight = Flight(manifest: Manifest(plan, position, corpus: corpus))
        work = writers.map { writer in Task.detached { await writer.write(position.step) } }
        statistics.add(reports, stall: MonotonicClock.seconds - start)
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
        let plain = try await group.plainCopyRate(writers.map(\.snapshot))
        guard group.isRoot else { return nil }
        return statistics.line(plainCopyRate: plain)
    }

    /// Waits for what is being written and ends the writers' threads.
    func stop() async {
        for work in work { await work.value }
        for writer in writers { writer.executor.stop() }
    }

    private func advance(_ told: [BoundaryNotes]) async throws {
        guard let current = flight else { return }
        let step = current.manifest.step
        if current.isCommitting {
            // Everybody hears of it from world rank 0, so all let go at the same boundary.
            guard Int(told[0][.committed]) >= step else { return }
            if Int(told[0][.kept]) == step {
                newest = step
                statistics.saved += 1
            } else if group.isRoot {
                warn(
                    "the checkpoint of step \(step) was given up; the newest whole one is "
                        + (newest.map { "that of step \($0)" } ?? "none"))
            }
            flight = nil
            return
        }
        guard told.allSatisfy({ Int($0[.written]) >= step }) else { return }
        flight?.isCommitting = true
        let root = group.isRoot ? writers[0] : nil
        guard !told.contains(where: { Int($0[.failed]) == step }) else {
            if let root { work.append(Task.detached { await root.abandon(step) }) }
            return
        }
        let desks = desks
        let files = try await group.exchange { FileRecord.numbers(desks[$0].files) }
        guard let root else { return }
        var manifest = current.manifest
        manifest.files = files.enumerated().flatMap { FileRecord.files($1, rank: $0) }.sorted { $0.name < $1.name }
        let complete = manifest
        let (retention, metrics) = (settings.retention, metrics)
        work.append(Task.detached { await root.commit(complete, retention, flushing: metrics) })
    }
}
