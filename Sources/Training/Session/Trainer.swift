import Checkpoints
import Corpora
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
    let place: RunPlace?
    /// The run's folder, known to all.
    let path: String

    private var configuration: RunConfiguration { plan.configuration }
    var directory: RunDirectory? { place?.directory }

    /// Trains, evaluates, samples and saves; the last line it prints is the parameters' digest.
    ///
    /// - Throws: `SilentExit` when all ranks have agreed to stop because of a signal
    func run() async throws {
        let settings = CheckpointSettings(configuration, run: path)
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
        do {
            try await train(from: start, checkpoints, settings)
        } catch {
            await checkpoints?.stop()
            throw error
        }
        await checkpoints?.stop()
        if !wasFinished { try await sample() }
        try await save()
    }

    /// What world rank 0 says, on all ranks.
    private func askRoot(_ question: () -> Bool) async throws -> Bool {
        let own = group.isRoot && question()
        return try await group.exchange { $0 == 0 ? [own ? 1 : 0] : [0] }[0][0] == 1
    }

    /// The steps after those that `start` has done.
    private func train(
        from start: Manifest?, _ checkpoints: Checkpointer?, _ settings: CheckpointSettings
    ) async throws {
        let batches = BatchMaker(plan: plan)
        let rates = LearningRate(configuration)
        let steps = configuration.training.steps
        let optimizer = configuration.optimizer
        let adam = AdamW(optimizer)
        let begin = start?.step ?? 0
        var log = try directory.map { try RunLog(plan: plan, directory: $0, workers: host.workers, start: start) }
        let ownNotes = checkpoints?.notes ?? { @Sendable (_: Int) in BoundaryNotes() }
        let notes = { @Sendable (rank: Int) in
            var notes = ownNotes(rank)
            notes[.stop] = Double(StopSignals.first)
            return notes
        }
        let held = plan.heldOut.map(batches.heldOut)
        let firstTraced = firstTraced(begin: begin)
        var skipped = start?.skipped ?? 0
        var skippedInARow = start?.skippedInARow ?? 0
        var mark = MonotonicClock.seconds
        for step in begin..<max(begin, steps) {
            try Fault.reach(.step, step: step, rank: group.ranks[0])
            let batch = batches.training(step: step)
            if step == firstTraced { try await group.beginTrace() }
            let rule = UpdateRule(adam: adam, rate: rates.rate(step: step), clip: optimizer.clip)
            let report = try await group.step(batch, number: step, rule: rule) {
                notes($0).values
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
            if evaluates, stop == nil, let held { (heldOut, stop) = try await evaluate(held) }
            log?.record(report, step: step, rate: rule.rate, seconds: seconds, heldOut: heldOut)
            mark = MonotonicClock.seconds
            if report.skipped { skipped += 1 }
            skippedInARow = report.skipped ? skippedInARow + 1 : 0
            if skippedInARow >= configuration.training.maxNonfinite {
                try await checkpoints?.finish()
                log?.finish()
                throw TrainingError(
                    "step \(step + 1): loss \(report.loss), gradient norm \(report.gradientNorm): not finite for \(skippedInARow) steps in a row. "
                        + "Lower optimizer.learning_rate, lengthen optimizer.warmup, or set optimizer.clip; the run's figures are in \(directory?.metrics ?? "metrics.jsonl")"
                )
            }
            try await checkpoints?.boundary(
                .init(step: step + 1, skipped: skipped, skippedInARow: skippedInARow),
                told: told)
            if let stop {
                let saved = try await saveNow(
                    .init(step: step + 1, skipped: skipped, skippedInARow: skippedInARow), checkpoints, settings)
                log?.finish()
                try leave(stop, after: step + 1, saved: saved, settings)
            }
        }
        try await checkpoints?.finish()
        if begin >= steps, let held {
            // The run was stopped between its last step and its end.
            let (heldOut, stop) = try await evaluate(held)
            if let stop {
                log?.finish()
                try leave(stop, after: begin, saved: begin, settings)
            }
            if let heldOut { log?.evaluated(heldOut) }
        }
        log?.finish(checkpoints: try await checkpoints?.summary())
    }

    /// The last steps are traced. The first step of a run isn't like the others, so it is left out unless it is the only one.
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
                ? "resuming after step \(step) from \(files.origin): \(Figures.bytes(files.manifest.size)), "
                    + "checked in \(Figures.time(files.checkSeconds)), loaded in \(Figures.time(files.loadSeconds))"
                : "starting from the model imported into \(files.origin)")
    }

    private func isEvaluation(_ steps: Int) -> Bool {
        let every = configuration.training.evaluateEvery
        return every > 0 && steps % every == 0
    }

    /// Mean held-out loss in nats; nil when the ranks have agreed to stop meanwhile.
    private func evaluate(_ held: (batches: [Batch], targets: Int)) async throws -> (Double?, StopRequest?) {
        var sum = 0.0
        for piece in BatchMaker(plan: plan).pieces(held.batches) {
            sum += try await group.evaluate(piece)
            if let stop = try await stopRequest() { return (nil, stop) }
        }
        return (sum / Double(max(1, held.targets)), nil)
    }

    private func saveTrace(first: Int, begin: Int) async throws {
        let steps = configuration.training.steps - first
        let title =
            "\(plan.pipeline.table.name), \(plan.pipeline.ranks) stages x \(plan.pipeline.replicas) replicas, last \(steps) steps"
        guard let timeline = try await group.endTrace(title: title), let directory else { return }
        try SmallFile.write(TimelineSVG(timeline, showsMessages: true).text, to: directory.timeline)
        try SmallFile.write(PerfettoTrace(timeline).text, to: directory.trace)
        try SmallFile.write(plan.pipeline.table.text, to: directory.schedule)
        guard first > begin else {
            say("no costs.json: the only step is a warm-up")
            return
        }
        let costs = try CostMeasurement(timeline, of: plan.pipeline, on: host)
        try SmallFile.write(costs.file(of: plan.pipeline, on: host).json, to: directory.costs)
    }

    private func sample() async throws {
        let training = configuration.training
        guard training.sampleTokens > 0 else { return }
        let prompt = ByteVocabulary.encode(training.samplePrompt, packed: configuration.data.packed)
        guard !prompt.isEmpty else { return }
        let tokens = try await group.generate(
            prompt: prompt, count: training.sampleTokens, temperature: training.sampleTemperature,
            seed: UInt64(training.seed))
        guard group.isRoot else { return }
        say("\nsample, continuing the prompt in brackets:")
        say("[\(training.samplePrompt)]\(ByteDecoder.text(tokens).withVisibleControls)\n")
    }

    private func save() async throws {
        let plan = plan
        let path = directory?.parameters ?? ""
        let digest = try await group.collectParameters(
            into: { try ModelFile.Writer(path: path, pipeline: plan.pipeline, configuration: plan.configuration) },
            finish: { try $0.finish() })
        if let digest { say("parameters sha256 \(digest)") }
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
