import Checkpoints
import Figures
import Files
import Foundation
import Hardware
import Numerics
import Pipeline
import Simulation

/// What a run tells while it goes: the progress line, `metrics.jsonl`, and at the end the loss curve. Its memory
/// doesn't grow with the steps.
struct RunLog {
    private let plan: TrainingPlan
    private let directory: RunDirectory
    private let peak: Double
    private let writer: MetricsWriter
    private var progress: ProgressLine
    private var past = Past()
    private var skipped = 0
    /// Of these, the steps without targets.
    private var void = 0
    private var writesMetrics = true
    private var divergence: Divergence

    /// What the end of the run wants to know of its steps.
    private struct Past {
        var losses = LossHistory()
        var heldOut = LossHistory(limit: 1024)
        var rates = ThinnedSample()
        var utilisation = ThinnedSample()
        var idle = ThinnedSample()
        var last: StepMetrics?

        mutating func add(_ metrics: StepMetrics) {
            losses.add(step: metrics.step, loss: metrics.loss)
            if let loss = metrics.heldOutLoss { heldOut.add(step: metrics.step, loss: loss) }
            rates.add(metrics.tokensPerSecond)
            utilisation.add(metrics.utilisation)
            idle.add(metrics.idle)
            last = metrics
        }
    }

    /// - Parameter start: the checkpoint that the run goes on from
    init(plan: TrainingPlan, directory: RunDirectory, workers: Int, start: Manifest?) throws {
        self.plan = plan
        self.directory = directory
        let core = MultiplyAddPeak.measure { MonotonicClock.seconds }
        peak = core * Double(workers)
        divergence = Divergence(vocabulary: plan.pipeline.model.vocabulary)
        let training = plan.configuration.training
        if let start {
            let kept: [StepMetrics]
            (writer, kept) = try MetricsWriter.resuming(
                directory.metrics, after: start.step, evaluateEvery: training.evaluateEvery)
            for metrics in kept { past.add(metrics) }
            skipped = start.progress.skipped
            void = kept.last?.withoutTargets ?? 0
            let found = kept.last?.step ?? 0
            if found < start.step {
                warn("\(directory.metrics) lacks the last \(start.step - found) of the \(start.step) steps so far")
            }
        } else {
            writer = try MetricsWriter(directory.metrics)
        }
        progress = ProgressLine(steps: training.steps, every: training.logEvery)
    }

    mutating func record(_ report: StepReport, step: Int, rate: Double, seconds: Double, heldOut: Double?) {
        if !report.hasTargets { void += 1 }
        if report.skipped || !report.hasTargets { skipped += 1 }
        let tokensPerSecond = Double(plan.tokensPerStep) / seconds
        var metrics = StepMetrics(step: step + 1)
        metrics.loss = report.loss
        metrics.tokensPerSecond = tokensPerSecond
        metrics.gradientNorm = report.gradientNorm
        metrics.learningRate = rate
        metrics.utilisation = plan.pipeline.trainingFlopsPerToken * tokensPerSecond / peak
        metrics.idle = report.idleShare
        metrics.seconds = seconds
        metrics.tokens = (step + 1) * plan.tokensPerStep
        metrics.skipped = skipped
        metrics.heldOutLoss = heldOut
        metrics.peakMemory = report.peakMemory.max()
        if plan.pipeline.replicas > 1 {
            metrics.earlySums = report.earlySums.reduce(0, +) / Double(report.earlySums.count)
        }
        metrics.hasTargets = report.hasTargets
        metrics.withoutTargets = void
        past.add(metrics)
        write(metrics)
        progress.update(metrics, now: MonotonicClock.seconds)
        if heldOut != nil { progress.evaluated(metrics) }
        let isLast = step + 1 == plan.configuration.training.steps
        if report.hasTargets, let note = divergence.update(step: step + 1, loss: report.loss, isLast: isLast) {
            progress.print("warning: \(note)")
        }
    }

    private mutating func write(_ metrics: StepMetrics) {
        do {
            try writer.write(metrics)
            writesMetrics = true
        } catch {
            // Told once, not at every step.
            if writesMetrics {
                progress.print("warning: \(error). Training goes on; the lines follow when there is room")
            }
            writesMetrics = false
        }
    }

    /// Something that the run survives.
    mutating func note(_ text: String) { progress.print("warning: \(text)") }

    /// The last step's held-out loss, where it was found later.
    mutating func evaluated(_ heldOut: Double) {
        guard var last = past.last else { return }
        last.heldOutLoss = heldOut
        past.last = last
        past.heldOut.add(step: last.step, loss: heldOut)
        progress.evaluated(last)
    }

    /// - Parameter checkpoints: what saving cost, in a line
    mutating func finish(checkpoints: String? = nil) {
        progress.finish()
        do {
            let curve = LossCurveSVG(
                title: directory.path, train: past.losses, heldOut: past.heldOut, tokens: past.last?.tokens ?? 0)
            try SmallFile.write(curve.render(), to: directory.lossCurve)
        } catch {
            warn("\(error)")
        }
        summary()
        if let checkpoints { say(checkpoints) }
    }

    private func summary() {
        guard let last = past.last else { return }
        say(
            "\ntrained \(last.step) steps, \(last.tokens) tokens: \(Int(past.rates.median.rounded())) tokens/s, "
                + "utilisation \(past.utilisation.median.asPercentage), "
                + "idle \(past.idle.median.asPercentage) (medians)"
        )
        if let peak = last.peakMemory {
            // Other processes tell their peaks; of their huge pages they don't.
            let huge = HugePages.inUse.map { ", \($0.asShortBytes) of rank 0's in huge pages now" } ?? ""
            say("memory: at most \(peak.asShortBytes) in a process\(huge)")
        }
        if skipped > void { say("skipped \(skipped - void) steps whose gradient was not finite") }
        if void > 0 {
            say("\(void) steps had no targets, so no loss and no update: their sequences held but ends of documents")
        }
        if let loss = last.heldOutLoss {
            let bits = ProgressLine.fixed(StepMetrics.bits(loss), 4)
            say("held-out loss \(ProgressLine.fixed(loss, 4)) nats, \(bits) bits per byte")
        }
    }
}
