import Figures
import Foundation
import Hardware
import Numerics
import Pipeline
import Simulation

/// Trains on random tokens with the real engine and counts where the time goes.
struct Benchmark {
    let plan: BenchPlan
    let host: RankHost
    let request: BenchRequest

    /// The report, where world rank 0 lives; nil elsewhere.
    func run() async throws -> BenchReport? {
        // Before any thread is pinned: where this process may run, and so its peer.
        let topology = try Topology()
        let before = MachineLimits.measure()
        if host.isRoot, !request.json { say(BenchReport.title(plan, host)) }
        var steps: [Double] = []
        var pairs: [BenchReport.Pair] = []
        var taken: [(rank: Int, core: TakenCore)] = []
        let breakdown = try await host.run(plan.pipeline) { group in
            var number = 0
            var breakdown: Breakdown?
            var use = CoreUse.now()
            for round in 0..<request.rounds {
                var own: [Double] = []
                // Every round begins with a step that is not counted, as the peer's does: while the peer ran, the
                // system may have taken caches and pages for it.
                for i in -1..<request.steps {
                    if round == 0, i == 0 {
                        try await group.beginBreakdown()
                        use = CoreUse.now()
                    }
                    let seconds = try await step(number, group)
                    number += 1
                    guard i >= 0 else { continue }
                    own.append(seconds)
                    tell("step \(i + 1) of \(request.steps)", seconds)
                }
                steps += own
                if round == 0 {
                    taken = try await CrowdWatch(ranks: group.ranks, host: host).taken(since: use, by: group)
                    breakdown = try await group.endBreakdown()
                }
                guard let command = request.peer else { continue }
                let peer = try Peer(command: command, topology: topology).tokensPerSecond()
                pairs.append(BenchReport.Pair(own: Double(plan.tokensPerStep) / (own.median ?? .nan), peer: peer))
                if !request.json { say("peer: \(BenchReport.rate(peer)) tokens/s") }
            }
            return breakdown
        }
        guard host.isRoot, let breakdown else { return nil }
        return BenchReport(
            plan: plan, host: host, limits: before.merged(.measure()), steps: steps,
            breakdownSteps: request.steps, breakdown: breakdown, pairs: pairs, taken: taken)
    }

    private func tell(_ what: String, _ seconds: Double) {
        guard host.isRoot, !request.json else { return }
        let rate = BenchReport.rate(Double(plan.tokensPerStep) / seconds)
        say("\(what): \(String(format: "%.2f", seconds)) s, \(rate) tokens/s")
    }

    /// Wall seconds of one step.
    private func step(_ number: Int, _ group: RankGroup) async throws -> Double {
        let batches = plan.batches(step: number)
        let optimizer = plan.configuration.optimizer
        let rule = UpdateRule(
            adam: AdamW(optimizer), rate: LearningRate(plan.configuration).rate(step: number), clip: optimizer.clip)
        let start = MonotonicClock.seconds
        let report = try await group.step(batches, number: number, rule: rule)
        let seconds = MonotonicClock.seconds - start
        guard !report.skipped else {
            throw TrainingError(
                "step \(number + 1): loss \(report.loss), gradient norm \(report.gradientNorm): not finite, so there "
                    + "is no update to measure. Lower optimizer.learning_rate, or set optimizer.clip")
        }
        return seconds
    }
}
