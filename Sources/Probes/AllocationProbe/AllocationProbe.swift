import Foundation
import Hardware
import MPI
import Model
import Numerics
import Pipeline
import Training

/// Counts the allocations of training steps: `allocation-probe STAGES LAYERS SLICES THREADS [tiles|openblas]`, alone or
/// under mpirun on STAGES ranks, prints one line a step and process: "step N: A of ours, B of MPI's".
@main
enum AllocationProbe {
    static func main() async throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard numbers.count == 4 else {
            fatalError("usage: allocation-probe STAGES LAYERS SLICES THREADS [tiles|openblas]")
        }
        let (stages, layers, slices, threads) = (numbers[0], numbers[1], numbers[2], numbers[3])
        let environment = ProcessInfo.processInfo.environment
        CountedMalloc.shows = environment["ALLOCATION_PROBE_TRACE"].flatMap { Int($0) } ?? 0
        var configuration = RunConfiguration()
        for (key, value) in [
            ("layers", layers), ("dim", 64), ("z_dim", 32), ("value_dim", 64), ("ffn_dim", 64), ("chunk", 32),
            ("norm_groups", 8),
        ] { configuration.model.set(key, to: value) }
        configuration.data.path = "random"
        configuration.data.sequence = 64 * slices
        configuration.pipeline.slice = 64
        configuration.pipeline.stages = stages
        configuration.training.batch = 1
        configuration.machine.matrices =
            CommandLine.arguments.dropFirst().compactMap(MatrixChoice.init(rawValue:)).first ?? .tiles
        let plan = try BenchPlan(try configuration.validated(world: nil))
        if try Launcher.detect(environment) == .mpi {
            let session = try ProbeSession()
            let group = try await session.start(plan.pipeline, threads: threads)
            try await count(plan, group)
            await group.release()
            try await session.finish()
        } else {
            let group = try await RankGroup.inProcess(
                plan: plan.pipeline, seed: 1, topology: Topology(), threads: threads)
            try await count(plan, group)
            await group.stop()
        }
    }

    private static func count(_ plan: BenchPlan, _ group: RankGroup) async throws {
        let rule = UpdateRule(adam: AdamW(), rate: 1e-3, clip: 1)
        let batches = (0..<42).map { plan.batches(step: $0) }
        for (step, batch) in batches.enumerated() {
            let counts = step >= 2
            if counts { CountedMalloc.begin() }
            _ = try await group.step(batch, number: step, rule: rule)
            guard counts else { continue }
            let (ours, others) = CountedMalloc.end()
            // In one piece, so that the ranks' lines stay whole.
            FileHandle.standardOutput.write(Data("step \(step): \(ours) of ours, \(others) of MPI's\n".utf8))
        }
    }
}
