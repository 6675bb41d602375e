import Foundation
import Hardware
import Numerics
import Pipeline
import Training

/// Counts the allocations of training steps: `allocation-probe STAGES LAYERS SLICES` prints one line a step, "step N calls bytes".
@main
enum AllocationProbe {
    static func main() async throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard numbers.count == 3 else { fatalError("usage: allocation-probe STAGES LAYERS SLICES") }
        let (stages, layers, slices) = (numbers[0], numbers[1], numbers[2])
        CountedMalloc.shows = ProcessInfo.processInfo.environment["ALLOCATION_PROBE_TRACE"].flatMap { Int($0) } ?? 0
        var configuration = RunConfiguration()
        configuration.model.layers = layers
        configuration.model.dim = 64
        configuration.model.zDim = 32
        configuration.model.valueDim = 64
        configuration.model.ffnDim = 64
        configuration.model.chunk = 32
        configuration.model.normGroups = 8
        configuration.data.path = "random"
        configuration.data.sequence = 64 * slices
        configuration.pipeline.slice = 64
        configuration.pipeline.stages = stages
        configuration.training.batch = 1
        let plan = try BenchPlan(try configuration.validated(world: nil))
        let group = try await RankGroup.inProcess(plan: plan.pipeline, seed: 1, topology: Topology(), threads: 1)
        let rule = UpdateRule(adam: AdamW(), rate: 1e-3, clip: 1)
        let batches = (0..<5).map { plan.batches(step: $0) }
        for (step, batch) in batches.enumerated() {
            let counts = step >= 2
            if counts { CountedMalloc.begin() }
            _ = try await group.step(batch, number: step, rule: rule)
            guard counts else { continue }
            let (calls, bytes) = CountedMalloc.end()
            print("step \(step) \(calls) \(bytes)")
        }
        await group.stop()
    }
}
