import Checkpoints
import Corpora
import Files
import Pipeline

/// The batches of a run's steps, each cut one step ahead. So all ranks hear at a step's boundary that one of them can't
/// read the next batch, and end together where the state is whole and can be saved. The same way all hear what world
/// rank 0 has found out about the text.
final class BatchesAhead {
    typealias HeldOut = (batches: [Batch], targets: Int)

    private let plan: TrainingPlan
    private let group: RankGroup
    private let directory: RunDirectory?
    private let batches: BatchMaker
    private var next: [Batch] = []
    /// Why the next batch can't be had.
    private var trouble: (any Error)?

    init(plan: TrainingPlan, group: RankGroup, directory: RunDirectory?) {
        self.plan = plan
        self.group = group
        self.directory = directory
        batches = BatchMaker(plan: plan)
    }

    private var text: RunText { plan.text }

    /// Cuts the first batch and the held-out text. All ranks call it.
    /// - Parameter start: the checkpoint that the run goes on from
    /// - Throws: `AgreedFailure` on all ranks when one can't
    func begin(at step: Int, start: Manifest?) async throws -> HeldOut? {
        var held: HeldOut?
        do {
            text.begin(plan.corpus, expected: start?.corpus ?? "")
            if let start, let directory { try text.check(plan, against: start, directory) }
            held = try plan.heldOut.map(batches.heldOut)
            if step < plan.configuration.training.steps { next = try batches.training(step: step) }
        } catch {
            trouble = error
        }
        let notes = notes { _ in BoundaryNotes() }
        let told = try await group.exchange { notes($0).values }.map { BoundaryNotes($0) }
        if let end = try await hear(told) { throw AgreedFailure(ownProblem: end.problem) }
        if let targets = held?.targets, targets == 0 {
            if group.isRoot {
                warn("the held-out text has no targets, so there is no held-out loss: raise data.held_out")
            }
            return nil
        }
        return held
    }

    /// The batches of this step, which was cut before; cuts that of the next one.
    func take(_ step: Int) -> [Batch] {
        let batch = next
        next = []
        guard step + 1 < plan.configuration.training.steps else { return batch }
        do {
            next = try batches.training(step: step + 1)
        } catch {
            trouble = error
        }
        return batch
    }

    /// What each rank here has to tell, added to other notes.
    func notes(
        over others: @escaping @Sendable (_ rank: Int) -> BoundaryNotes
    ) -> @Sendable (_ rank: Int) -> BoundaryNotes {
        let (text, isTroubled) = (text, trouble != nil)
        return { rank in
            var notes = others(rank)
            notes[.batch] = isTroubled ? 1 : 0
            notes[.text] = rank == 0 ? Double(text.verdict.rawValue) : 0
            return notes
        }
    }

    /// Why all ranks stop at this boundary.
    struct End {
        /// On the rank that says it.
        let problem: (any Error)?
        /// Whether the state is that of a run on its own text.
        let isGood: Bool
    }

    /// Takes in what all have told; all ranks call it at the same boundary.
    func hear(_ told: [BoundaryNotes]) async throws -> End? {
        let verdict = RunText.Verdict(rawValue: Int(told[0][.text])) ?? .open
        if verdict == .other || verdict == .unreadable {
            let problem = group.isRoot ? text.problem(directory, path: plan.configuration.data.path) : nil
            return End(problem: problem, isGood: verdict == .unreadable)
        }
        if verdict == .good, !text.isKnown { try await settle() }
        guard let rank = told.firstIndex(where: { $0[.batch] != 0 }) else { return nil }
        return End(problem: group.ranks.contains(rank) ? trouble : nil, isGood: true)
    }

    /// Waits until world rank 0 has read all of the text. All ranks call it.
    func finishReading() async throws -> End? {
        var rest = Duration.milliseconds(1)
        while !text.isKnown {
            let notes = notes { _ in BoundaryNotes() }
            let told = try await group.exchange { notes($0).values }.map { BoundaryNotes($0) }
            if let end = try await hear(told) { return end }
            guard !text.isKnown else { break }
            try await Task.sleep(for: rest)
            rest = min(rest * 2, .milliseconds(100))
        }
        return nil
    }

    /// World rank 0 tells all how checkpoints name the text, and writes down the digests of its files.
    private func settle() async throws {
        let record = text.record
        text.settle(try await group.broadcast(record?.name ?? ""))
        guard let record, let directory else { return }
        do {
            let bytes = record.bytes
            let file = try AtomicFile(directory.corpus, expectedSize: bytes.count)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.commit()
        } catch {
            warn(
                "\(error). Training goes on; should the text be another one later, nobody can say which of its files is"
            )
        }
    }
}
