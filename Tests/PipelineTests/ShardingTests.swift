import Hardware
import Model
import Numerics
import Pipeline
import Schedules
import Testing

/// How the gradients' way between replicas is cut, and who keeps the moments, changes no bit.
@Suite(.serialized) struct ShardingTests {
    /// Buckets of one block each, pieces that cut most tensors.
    private static let small = (bucket: 1, piece: 1000)

    private static func harness(replicas: Int) -> Harness {
        Harness(replicas: replicas, sequences: 2 * replicas, slices: 2, steps: 3)
    }

    private func expectSame(_ harness: Harness, _ expected: Harness.Outcome, _ what: String) async throws {
        var harness = harness
        for shards in [false, true] {
            harness.shards = shards
            #expect(try await harness.run() == expected, "\(what), \(harness.replicas) replicas, shards: \(shards)")
        }
    }

    @Test(arguments: 1...4) func replicasStagesAndSchedules(replicas: Int) async throws {
        let plain = Self.harness(replicas: replicas)
        let expected = try await plain.run()
        try await expectSame(plain, expected, "one stage")
        var cut = plain
        (cut.bucket, cut.piece) = Self.small
        try await expectSame(cut, expected, "small buckets")
        cut.threads = 2
        try await expectSame(cut, expected, "two workers")
        cut.threads = 1
        for (stages, schedule) in [(2, "1f1b"), (3, "zb-h1"), (2, "interleaved"), (2, "zbv"), (4, "1f1b")] {
            (cut.stages, cut.schedule) = (stages, schedule)
            try await expectSame(cut, expected, "\(stages) ranks, \(schedule)")
        }
        (cut.stages, cut.schedule, cut.split) = (2, "1f1b", true)
        try await expectSame(cut, expected, "weight gradients apart")
    }

    @Test(arguments: [2, 3]) func tiedEmbeddings(replicas: Int) async throws {
        var harness = Self.harness(replicas: replicas)
        harness.model.tieEmbeddings = true
        let expected = try await harness.run()
        (harness.bucket, harness.piece) = Self.small
        for (stages, schedule) in [(1, "1f1b"), (2, "1f1b"), (2, "zbv"), (3, "1f1b")] {
            (harness.stages, harness.schedule) = (stages, schedule)
            try await expectSame(harness, expected, "\(stages) ranks, \(schedule)")
        }
    }

    /// More replicas than a stage has tensors of any size: some may have next to nothing to do.
    @Test func moreReplicasThanLayers() async throws {
        var harness = Self.harness(replicas: 8)
        harness.sequences = 8
        harness.model.layers = 2
        try await expectSame(harness, try await harness.run(), "two layers")
    }

    /// When a rank completes its last bucket after all others, their shares of its first bucket have come, since they
    /// sent them when they completed theirs: it has summed some of them before it goes on to the last. This depends on
    /// no clock.
    @Test(arguments: [false, true]) func sumsBeginBeforeTheLastGradientsAreComplete(shards: Bool) async throws {
        var harness = Self.harness(replicas: 2)
        harness.shards = shards
        (harness.bucket, harness.piece) = Self.small
        #expect(try await harness.run().leastEarlySum > 0)
        harness.bucket = 1 << 30
        #expect(try await harness.run().leastEarlySum == 0, "all in one bucket: nothing to begin with")
    }

    /// A gradient that is no number on any rank makes all of them leave the step out.
    @Test(arguments: [false, true], [(1, 3), (2, 2)]) func aPoisonedGradient(
        shards: Bool, layout: (stages: Int, replicas: Int)
    ) async throws {
        var harness = Self.harness(replicas: layout.replicas)
        harness.stages = layout.stages
        harness.shards = shards
        let batches = (0..<harness.replicas).map { harness.batch(step: 0, replica: $0) }
        let plan = try harness.plan()
        let group = try await RankGroup.inProcess(plan: plan, seed: 5, topology: try Topology(), threads: 1)
        func step(_ number: Int, poisoned: Int?) async throws -> Bool {
            try await group.step(
                batches, number: number, rule: UpdateRule(adam: AdamW(), rate: 1e-3, clip: 1),
                disturbance: { $0 == poisoned ? .poison : nil }
            ).skipped
        }
        func parameters() async throws -> [[Float]] {
            try await group.collectParameters(into: { Harness.Sink() }, finish: { $0.values }) ?? []
        }
        #expect(try await step(0, poisoned: nil) == false)
        let before = try await parameters()
        for rank in 0..<plan.world { #expect(try await step(1, poisoned: rank), "rank \(rank)") }
        #expect(try await parameters() == before)
        #expect(try await step(2, poisoned: nil) == false)
        #expect(try await parameters() != before)
        await group.stop()
    }

    /// Whoever saves and whoever goes on: sharded or not, the bits are those of a run that was never cut.
    @Test(arguments: [false, true]) func aSnapshotServesBoth(tied: Bool) async throws {
        var harness = Self.harness(replicas: 2)
        harness.model.tieEmbeddings = tied
        harness.stages = 2
        let expected = try await harness.run().parameters
        for (saves, loads) in [(true, true), (true, false), (false, true)] {
            var first = harness
            first.shards = saves
            let memory = try await snapshot(first, steps: 2)
            // Every tensor once, whoever saves it.
            #expect(Set(memory.keys).count == 3 * expected.count)
            var second = harness
            (second.stages, second.shards) = (1, loads)
            #expect(try await goOn(second, from: memory, step: 2) == expected, "saved \(saves), loaded \(loads)")
        }
    }

    private func snapshot(_ harness: Harness, steps: Int) async throws -> [String: [Float]] {
        let group = try await RankGroup.inProcess(
            plan: try harness.plan(), seed: 5, topology: try Topology(), threads: 1)
        for step in 0..<steps { try await train(harness, group, step) }
        let snapshots = try await group.makeSnapshots().compactMap { $0 }
        _ = try await group.capture(snapshots)
        let tensors = snapshots.flatMap(\.parameters).map {
            ($0.name, Array(UnsafeBufferPointer(start: $0.values, count: $0.count)))
        }
        for snapshot in snapshots { snapshot.giveBack() }
        await group.stop()
        return Dictionary(uniqueKeysWithValues: tensors)
    }

    private struct Saved: StateSource {
        struct Missing: Error { let name: String }
        let tensors: [String: [Float]]

        func withTensor(_ name: String, shape: [Int], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            guard let tensor = tensors[name], tensor.count == shape.reduce(1, *) else { throw Missing(name: name) }
            try tensor.withUnsafeBytes(body)
        }

        func cursor(stream: Int, _ form: CursorForm) throws -> StreamCursor { throw Missing(name: "cursor \(stream)") }
    }

    private func goOn(_ harness: Harness, from tensors: [String: [Float]], step: Int) async throws -> [[Float]] {
        let group = try await RankGroup.inProcess(
            plan: try harness.plan(), seed: 5, topology: try Topology(), threads: 1)
        try await group.restore(from: { _ in Saved(tensors: tensors) }, optimizerStep: step, streams: false)
        try await train(harness, group, step)
        let found = try await group.collectParameters(into: { Harness.Sink() }, finish: { $0.values }) ?? []
        await group.stop()
        return found
    }

    private func train(_ harness: Harness, _ group: RankGroup, _ step: Int) async throws {
        _ = try await group.step(
            (0..<harness.replicas).map { harness.batch(step: step, replica: $0) }, number: step,
            rule: UpdateRule(adam: AdamW(), rate: harness.rate, clip: 1))
    }
}
