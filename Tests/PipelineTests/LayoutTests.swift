import Model
import Pipeline
import Schedules
import Testing

/// The parameters after some steps are the same bits in every layout.
@Suite(.serialized) struct LayoutTests {
    static let reference = Task { try await Harness().run() }

    private func expectSame(_ harness: Harness, _ reference: Harness.Outcome? = nil) async throws {
        let expected: Harness.Outcome
        if let reference { expected = reference } else { expected = try await Self.reference.value }
        let found = try await harness.run()
        #expect(found.parameters.count == expected.parameters.count)
        #expect(found.parameters == expected.parameters)
        #expect(found.losses == expected.losses)
        #expect(found.norms == expected.norms)
        #expect(found.evaluation == expected.evaluation)
        #expect(found.positions == expected.positions && found.positions.contains { $0 > 0 })
        #expect(found.generated == expected.generated)
    }

    @Test func trainingLowersTheLossAndMovesEveryTensor() async throws {
        let start = try await Harness(steps: 0).run()
        var longer = Harness()
        longer.steps = 12
        let end = try await longer.run()
        #expect(end.losses.last! < 0.9 * end.losses[0])
        for (a, b) in zip(start.parameters, end.parameters) { #expect(a != b) }
    }

    @Test(arguments: 1...4, ["1f1b", "all-forward-all-backward"])
    func stagesAndSchedules(stages: Int, schedule: String) async throws {
        try await expectSame(Harness(stages: stages, schedule: schedule))
    }

    @Test(arguments: [1, 3]) func recompute(stages: Int) async throws {
        try await expectSame(Harness(stages: stages, recompute: true))
    }

    @Test func splitWeightGradients() async throws {
        try await expectSame(Harness(stages: 2, split: true))
        try await expectSame(Harness(stages: 3, recompute: true, split: true))
    }

    @Test(arguments: [2, 3]) func workers(threads: Int) async throws {
        try await expectSame(Harness(threads: threads))
        try await expectSame(Harness(stages: 2, threads: threads))
    }

    @Test(arguments: [[1, 3], [2, 1, 1], [1, 1, 2]]) func unevenLayers(counts: [Int]) async throws {
        try await expectSame(Harness(stages: counts.count, layers: counts))
    }

    @Test func tiedScaledTwoHopPackedModel() async throws {
        var h = Harness()
        h.model.tieEmbeddings = true
        h.model.scaleEmbeddings = true
        h.model.twoHopResidual = true
        h.model.rescaleNFFN = true
        h.model.bosID = 3
        let reference = try await h.run()
        for stages in 2...4 {
            h.stages = stages
            try await expectSame(h, reference)
        }
        h.recompute = true
        try await expectSame(h, reference)
    }

    @Test func dropoutDrawsTheSameMasks() async throws {
        var h = Harness()
        h.model.dropout = 0.1
        h.model.hiddenDropout = 0.2
        h.model.attentionDropout = 0.3
        let reference = try await h.run()
        h.stages = 3
        h.recompute = true
        try await expectSame(h, reference)
        let without = try await Self.reference.value
        #expect(reference.losses != without.losses)
    }

    @Test func streamsCarryTheStateFromStepToStep() async throws {
        var h = Harness(streams: true)
        let reference = try await h.run()
        h.stages = 3
        h.schedule = "all-forward-all-backward"
        try await expectSame(h, reference)
        var fresh = Harness(streams: true)
        fresh.streams = false
        #expect(try await fresh.run().losses != reference.losses)
    }
}

/// Every schedule trains, with the parameters of one rank.
@Suite(.serialized) struct EveryScheduleTests {
    @Test(arguments: ScheduleRegistry.all.map(\.name), [2, 3])
    func trainsTheSameParameters(schedule: String, ranks: Int) async throws {
        var harness = Harness()
        harness.model.layers = 6
        let reference = try await harness.run()
        harness.stages = ranks
        harness.schedule = schedule
        let found = try await harness.run()
        #expect(found == reference)
        harness.recompute = true
        #expect(try await harness.run() == reference)
    }

    /// Four ranks have nothing to do most of the time, and layers don't divide by stages.
    @Test(arguments: ScheduleRegistry.all.map(\.name))
    func fewerUnitsThanRanks(schedule: String) async throws {
        for (sequences, slices) in [(1, 1), (1, 3), (2, 1)] {
            var harness = Harness(sequences: sequences, slices: slices)
            harness.model.layers = 9
            harness.steps = 1
            let reference = try await harness.run()
            harness.stages = 4
            harness.schedule = schedule
            #expect(try await harness.run() == reference)
        }
    }

    @Test func interleavedTakesMoreVirtualStages() async throws {
        var harness = Harness()
        harness.model.layers = 6
        let reference = try await harness.run()
        harness.stages = 2
        harness.schedule = "interleaved"
        harness.virtualStages = 3
        #expect(try await harness.run() == reference)
    }
}
