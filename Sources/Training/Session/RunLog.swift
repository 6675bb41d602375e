import Checkpoints
import Files
import Foundation
import Hardware
import Numerics
import Pipeline

/// What a run tells while it goes: the progress line, `metrics.jsonl`, and at the end the loss curve.
struct RunLog {
    private let plan: TrainingPlan
    private let directory: RunDirectory
    private let peak: Double
    private let writer: MetricsWriter
    private var progress: ProgressLine
    private var history: [StepMetrics] = []
    private var skipped = 0
    /// Of these, the steps without targets.
    private var void = 0
    private var writesMetrics = true

    /// - Parameter start: the checkpoint that the run goes on from
    init(plan: TrainingPlan, directory: RunDirectory, workers: Int, start: Manifest?) throws {
        self.plan = plan
        self.directory = directory
        let core = MultiplyAddPeak.measure { MonotonicClock.seconds }
        peak = core * Double(workers)
        if let start {
            (writer, history) = try MetricsWriter.resuming(directory.metrics, after: start.step)
            skipped = start.skipped
            void = history.count { !$0.hasTargets }
            if history.count < start.step {
                say(
                    "warning: \(directory.metrics) lacks \(start.step - history.count) of the \(start.step) steps so far"
                )
            }
        } else {
            writer = try MetricsWriter(directory.metrics)
        }
        progress = ProgressLine(
            steps: plan.configuration.training.steps, every: plan.configuration.training.logEvery)
    }

    mutating func record(_ report: StepReport, step: Int, rate: Double, seconds: Double, heldOut: Double?) {
        if !report.hasTargets { void += 1 }
        if report.skipped || !report.hasTargets { skipped += 1 }
        let tokensPerSecond = Double(plan.tokensPerStep) / seconds
        let metrics = StepMetrics(
            step: step + 1, loss: report.loss, tokensPerSecond: tokensPerSecond, gradientNorm: report.gradientNorm,
            learningRate: rate, utilisation: plan.pipeline.trainingFlopsPerToken * tokensPerSecond / peak,
            idle: report.idleShare, seconds: seconds, tokens: (step + 1) * plan.tokensPerStep, skipped: skipped,
            heldOutLoss: heldOut, peakMemory: report.peakMemory.max(),
            earlySums: plan.pipeline.replicas > 1
                ? report.earlySums.reduce(0, +) / Double(report.earlySums.count) : nil,
            hasTargets: report.hasTargets)
        history.append(metrics)
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
        progress.update(metrics, now: MonotonicClock.seconds)
    }

    mutating func warn(_ text: String) { progress.print("warning: \(text)") }

    /// The last step's held-out loss, where it was found later.
    mutating func evaluated(_ heldOut: Double) {
        if !history.isEmpty { history[history.count - 1].heldOutLoss = heldOut }
    }

    /// - Parameter checkpoints: what saving cost, in a line
    mutating func finish(checkpoints: String? = nil) {
        progress.finish()
        do {
            try SmallFile.write(LossCurveSVG(title: directory.path, metrics: history).render(), to: directory.lossCurve)
        } catch {
            say("warning: \(error)")
        }
        summary()
        if let checkpoints { say(checkpoints) }
    }

    private func summary() {
        guard let last = history.last else { return }
        // The first steps allocate and warm up.
        let steady = history.count > 4 ? history.dropFirst(2) : history[...]
        let rate = steady.map(\.tokensPerSecond).median
        say(
            "\ntrained \(last.step) steps, \(last.tokens) tokens: \(Int(rate.rounded())) tokens/s, "
                + "utilisation \(percent(steady.map(\.utilisation).median)), idle \(percent(steady.map(\.idle).median)) (medians)"
        )
        if let peak = last.peakMemory {
            // Other processes tell their peaks; of their huge pages they don't.
            let huge = HugePages.inUse.map { ", \(ByteText.of($0)) of rank 0's in huge pages now" } ?? ""
            say("memory: at most \(ByteText.of(peak)) in a process\(huge)")
        }
        if skipped > void { say("skipped \(skipped - void) steps whose gradient was not finite") }
        if void > 0 {
            say("\(void) steps had no targets, so no loss and no update: their sequences held but ends of documents")
        }
        if let loss = last.heldOutLoss {
            say("held-out loss \(fixed(loss)) nats, \(fixed(StepMetrics.bits(loss))) bits per byte")
        }
    }
}

private func fixed(_ x: Double) -> String { x.formatted(.number.precision(.fractionLength(4))) }
private func percent(_ x: Double) -> String { (100 * x).formatted(.number.precision(.fractionLength(1))) + " %" }

extension [Double] {
    fileprivate var median: Double {
        let s = sorted()
        return s.isEmpty ? 0 : s[s.count / 2]
    }
}
