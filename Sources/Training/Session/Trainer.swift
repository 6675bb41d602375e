import Checkpoints
import Corpora
import Figures
import Files
import Foundation
import Hardware
import Model
import Numerics
import Pipeline
import Schedules
import Simulation

/// The training loop of one process: the same steps in every process, reports where world rank 0 lives.
struct Trainer: Sendable {
    let plan: TrainingPlan
    let group: RankGroup
    /// The ranks that the group runs on.
    let host: RankHost
    /// Where the results go, and how the run begins there; nil in processes without world rank 0.
    let place: PreparedRun?
    /// The run's folder, known to all.
    let path: String

    var configuration: RunConfiguration { plan.configuration }
    var directory: RunDirectory? { place?.directory }

    /// Trains, evaluates, samples and saves; the last line it prints is the parameters' digest.
    ///
    /// - Throws: `SilentExit` when all ranks have agreed to stop; `TrainingError` on all ranks when the run came to no
    ///   good end
    func run() async throws {
        let settings = CheckpointSettings(configuration, run: path, owner: try await owner())
        let claim = try await LocalClaim(settings, group, nodes: host.nodes)
        defer { withExtendedLifetime(claim) {} }
        let wasFinished = try await askRoot { place?.directory.isFinished ?? false }
        let resumed = try await Resumption(
            settings: settings, group: group, nodes: host.nodes, configuration: configuration
        ).run(wanted: place?.start == .goesOn)
        let start = resumed?.manifest
        tell(resumed, settings)
        if let stop = try await stopRequest() {
            try leave(stop, after: start?.step ?? 0, saved: start?.step, settings)
        }
        let checkpoints =
            settings.isOn
            ? try await Checkpointer(
                settings, plan: plan, group: group, nodes: host.nodes, newest: start?.step, metrics: directory?.metrics)
            : nil
        StartUp.end()
        let fault: String?
        do {
            fault = try await train(from: start, checkpoints, settings)
        } catch {
            plan.text.stop()
            await checkpoints?.stop()
            throw error
        }
        plan.text.stop()
        await checkpoints?.stop()
        if let fault { throw unusable(fault, settings) }
        if !wasFinished { try await sample() }
        try await save(settings)
    }

    /// In whose name this run's checkpoints are, as world rank 0 knows it.
    private func owner() async throws -> CheckpointOwner {
        try await group.broadcast(place?.owner ?? CheckpointOwner(run: nil))
    }

    /// What world rank 0 says, on all ranks.
    func askRoot(_ question: () -> Bool) async throws -> Bool {
        try await group.broadcast(group.isRoot && question())
    }

    /// The steps after those that `start` has done.
    /// - Returns: why the model that they come to is not usable; nil when it is
    private func train(
        from start: Manifest?, _ checkpoints: Checkpointer?, _ settings: CheckpointSettings
    ) async throws -> String? {
        let batches = BatchesAhead(plan: plan, group: group, directory: directory)
        let rates = LearningRate(configuration)
        let steps = configuration.training.steps
        if group.isRoot, let note = rates.note { say("note: \(note)") }
        let optimizer = configuration.optimizer
        let adam = AdamW(optimizer)
        let begin = start?.step ?? 0
        let held = try await batches.begin(at: begin, start: start)
        var log = try directory.map { try RunLog(plan: plan, directory: $0, workers: host.workers, start: start) }
        let ownNotes = checkpoints?.notes ?? { @Sendable (_: Int) in BoundaryNotes() }
        let crowd = CrowdWatch(ranks: group.ranks, host: host)
        let notes = { @Sendable (rank: Int) in
            var notes = ownNotes(rank)
            notes[.stop] = Double(StopRequests.first)
            crowd.note(rank, in: &notes)
            return notes
        }
        let firstTraced = firstTraced(begin: begin)
        var skipped = start?.progress.skipped ?? 0
        var skippedInARow = start?.progress.skippedInARow ?? 0
        var fault = skippedInARow > 0 ? "the last \(skippedInARow) steps were not finite" : nil
        var mark = MonotonicClock.seconds
        for step in begin..<max(begin, steps) {
            try Fault.reach(.step, step: step, rank: group.ranks[0])
            let batch = batches.take(step)
            let tell = batches.notes(over: notes)
            if step == firstTraced { try await group.beginTrace() }
            let rule = UpdateRule(adam: adam, rate: rates.rate(step: step), clip: optimizer.clip)
            let report = try await group.step(batch, number: step, rule: rule) {
                tell($0).values
            } disturbance: {
                try Self.disturbance($0, step)
            }
            let told = report.notes.map { BoundaryNotes($0) }
            var stop = StopRequest(told.map { Int($0[.stop]) })
            if step == steps - 1, firstTraced < steps {
                try await saveTrace(first: firstTraced, begin: begin)
            }
            let now = MonotonicClock.seconds
            let seconds = now - mark
            let evaluates = (step + 1 == steps) || isEvaluation(step + 1)
            var heldOut: Double?
            if evaluates, stop == nil, let held { (heldOut, stop) = try await evaluate(held, after: step + 1) }
            fault = Self.fault(report, step: step + 1, heldOut: heldOut)
            log?.record(report, step: step, rate: rule.rate, seconds: seconds, heldOut: heldOut)
            for line in crowd.lines(told) { log?.note(line) }
            mark = MonotonicClock.seconds
            if report.skipped || !report.hasTargets { skipped += 1 }
            if report.hasTargets { skippedInARow = report.skipped ? skippedInARow + 1 : 0 }
            if skippedInARow >= configuration.training.maxNonfinite {
                try await checkpoints?.finish()
                log?.finish()
                throw TrainingError(
                    "step \(step + 1): loss \(report.loss), gradient norm \(report.gradientNorm): not finite for "
                        + "\(skippedInARow) steps in a row. "
                        + "Lower optimizer.learning_rate, lengthen optimizer.warmup, or set optimizer.clip; the run's "
                        + "figures are in \(directory?.metrics ?? "metrics.jsonl")"
                        + doubtful(start, settings))
            }
            let position = Checkpointer.Position(step: step + 1, skipped: skipped, skippedInARow: skippedInARow)
            try await endWithTheText(batches, told, position, checkpoints, settings) { log?.finish() }
            try await checkpoints?.boundary(position, told: told)
            if let stop {
                let saved = try await saveNow(position, checkpoints, settings)
                log?.finish()
                try leave(stop, after: step + 1, saved: saved, settings)
            }
            if settings.level(after: step + 1) != nil { watchFolder(settings.store) }
        }
        try await checkpoints?.finish()
        if begin >= steps, let held {
            // The run was stopped between its last step and its end.
            let (heldOut, stop) = try await evaluate(held, after: begin)
            if let stop {
                log?.finish()
                try leave(stop, after: begin, saved: begin, settings)
            }
            if let heldOut {
                log?.evaluated(heldOut)
                fault = fault ?? Self.fault(heldOut: heldOut, step: begin)
            }
        }
        for line in crowd.lastLines() { log?.note(line) }
        log?.finish(checkpoints: try await checkpoints?.summary())
        return fault
    }

    /// What makes a model that ends with this step no model.
    private static func fault(_ report: StepReport, step: Int, heldOut: Double?) -> String? {
        if report.hasTargets, report.skipped || !report.loss.isFinite {
            return "the loss of step \(step) is \(ProgressLine.fixed(report.loss, 4)), its gradient norm "
                + ProgressLine.fixed(report.gradientNorm, 4)
        }
        return heldOut.flatMap { fault(heldOut: $0, step: step) }
    }

    private static func fault(heldOut: Double, step: Int) -> String? {
        heldOut.isFinite ? nil : "the held-out loss after step \(step) is \(ProgressLine.fixed(heldOut, 4))"
    }

    /// The last steps are traced. The first step of a run isn't like the others, so it is left out unless it is the
    /// only one.
    private func firstTraced(begin: Int) -> Int {
        let steps = configuration.training.steps
        return configuration.run.traceSteps == 0
            ? steps : max(min(begin + 1, steps - 1), steps - configuration.run.traceSteps)
    }

    /// Where the run begins.
    private func tell(_ files: CheckpointFiles?, _ settings: CheckpointSettings) {
        guard let place, place.start == .goesOn else { return }
        guard let files else {
            say("no whole checkpoint in \(settings.store.directory): starting at step 0")
            return
        }
        let step = files.manifest.step
        say(
            step > 0
                ? "resuming after step \(step) from \(files.origin): \(files.manifest.size.asBytes), "
                    + "checked in \(files.checkSeconds.asTime), loaded in \(files.loadSeconds.asTime)"
                : "starting from the model imported into \(files.origin)")
    }

    private func isEvaluation(_ steps: Int) -> Bool {
        let every = configuration.training.evaluateEvery
        return every > 0 && steps % every == 0
    }

    /// Mean held-out loss in nats; nil when the ranks have agreed to stop meanwhile.
    private func evaluate(
        _ held: (batches: [Batch], targets: Int), after step: Int
    ) async throws -> (Double?, StopRequest?) {
        var sums = PositionLossSums(held.batches)
        for piece in BatchMaker(plan: plan).pieces(held.batches) {
            try Fault.reach(.evaluate, step: step, rank: group.ranks[0])
            sums.add(try await group.evaluate(piece))
            if let stop = try await stopRequest() { return (nil, stop) }
        }
        let losses = sums.losses(step: step)
        // The newest evaluation's; a figure more is no reason to lose the run.
        if let directory {
            do { try SmallFile.write(losses.json, to: directory.positions) } catch {
                warn("\(error). Training goes on")
            }
        }
        return (losses.all.mean, nil)
    }
}

extension AdamW {
    init(_ section: RunConfiguration.OptimizerSection) {
        self.init(beta1: section.beta1, beta2: section.beta2, eps: section.eps, weightDecay: section.weightDecay)
    }
}

package struct TrainingError: Error, CustomStringConvertible, Sendable {
    package let description: String
    init(_ description: String) { self.description = description }
}
