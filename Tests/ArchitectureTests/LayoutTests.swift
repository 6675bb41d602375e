import Hardware
import Model
import Numerics
import Pipeline
import Schedules
import Testing

/// An architecture that no source file knows trains to the same bits in every layout.
@Suite(.serialized) struct LeakyLayoutTests {
    /// How the model is laid out, and the three steps that it trains.
    struct Layout: Sendable, CustomTestStringConvertible {
        var stages = 1
        var schedule = "1f1b"
        var slice = 8
        var recomputes = false
        var splits = false
        var threads = 1
        var replicas = 1
        var shards = false
        var streams = false
        /// Tokens before a sequence that means still count.
        var context = 0
        /// Slices of equal cost instead of equal length.
        var balances = false
        var model = LeakyModel()

        static let length = 24
        static let sequences = 4

        var testDescription: String {
            "\(stages) stages, \(schedule), slices of \(slice)\(recomputes ? ", recompute" : "")"
                + (splits ? ", split" : "")
                + ", \(threads) threads, \(replicas) replicas\(streams ? ", streams" : "")"
        }

        func plan() throws -> PipelinePlan {
            var table = try ScheduleRegistry.generator(named: schedule).make(
                ScheduleRequest(
                    ranks: stages, virtualStages: nil, sequences: Self.sequences / replicas,
                    slices: Self.length / slice))
            if splits { table = table.splittingWeightGradients() }
            if recomputes { table = table.withRecompute() }
            var model = model
            model.resolve(for: TextNeeds(vocabulary: 11, documentMark: 3))
            return try PipelinePlan(
                model: model, table: table, partition: .even(layers: model.layers, stages: table.shape.stages),
                cut: cut(model), replicas: replicas, streams: streams, streamContext: context,
                shardsOptimizer: shards)
        }

        private func cut(_ model: LeakyModel) -> SliceCut {
            let count = Self.length / slice
            guard balances else { return SliceCut(slice: slice, count: count) }
            return .balanced(sequence: Self.length, count: count, layers: model.layerKinds, multiple: 1)
        }

        /// The batch of one replica: numbers that depend on step and global sequence only.
        func batch(step: Int, replica: Int) -> Batch {
            let own = Self.sequences / replicas
            let numbers = replica * own..<(replica + 1) * own
            func token(_ sequence: Int, _ t: Int) -> Int32 {
                let text = CounterGenerator(seed: 9, stream: UInt64(streams ? sequence : step * 100 + sequence))
                return Int32(text.integer(UInt64(t + (streams ? step * Self.length : 0)), below: 11))
            }
            return Batch(
                tokens: numbers.flatMap { n in (0..<Self.length).map { token(n, $0) } },
                targets: numbers.flatMap { n in (0..<Self.length).map { token(n, $0 + 1) } }, length: Self.length,
                countedTargets: Self.length * Self.sequences, sequenceNumbers: numbers.map { step * 100 + $0 },
                restarts: numbers.map { _ in !streams || step == 0 })
        }

        struct Outcome: Equatable {
            var parameters: [[UInt32]]
            var losses: [Double]
            var generated: [Int32]
        }

        private final class Sink: ParameterSink {
            var values: [[UInt32]] = []
            func take(_ spec: ParameterSpec, _ v: UnsafeBufferPointer<Float>) { values.append(v.map(\.bitPattern)) }
        }

        func train() async throws -> Outcome {
            let plan = try plan()
            let group = try await RankGroup.inProcess(plan: plan, seed: 5, topology: try Topology(), threads: threads)
            do {
                var losses: [Double] = []
                for step in 0..<3 {
                    losses.append(
                        try await group.step(
                            (0..<replicas).map { batch(step: step, replica: $0) }, number: step,
                            rule: UpdateRule(adam: AdamW(), rate: 1e-2, clip: 1)
                        ).loss)
                }
                let generated = try await group.generate(prompt: [1, 2, 3, 4], count: 12, temperature: 0.7, seed: 3)
                let parameters = try await group.collectParameters(into: { Sink() }, finish: { $0.values }) ?? []
                await group.stop()
                return Outcome(parameters: parameters, losses: losses, generated: generated)
            } catch {
                await group.stop()
                throw error
            }
        }
    }

    static let layouts: [Layout] = [
        Layout(stages: 2), Layout(stages: 4, schedule: "all-forward-all-backward"),
        Layout(stages: 3, schedule: "zb-h1"),
        Layout(stages: 2, schedule: "interleaved"), Layout(stages: 2, recomputes: true),
        Layout(stages: 3, recomputes: true, splits: true), Layout(stages: 2, threads: 2), Layout(slice: 24),
        Layout(stages: 2, slice: 3), Layout(stages: 4, slice: 1),
    ]

    @Test(arguments: [false, true], [false, true]) func everyLayoutGivesTheSameBits(tied: Bool, streams: Bool)
        async throws
    {
        var model = LeakyModel()
        model.ties = tied
        var one = Layout(model: model)
        one.streams = streams
        let expected = try await one.train()
        #expect(expected.losses[2] < expected.losses[0] || streams)
        for var layout in Self.layouts {
            (layout.model, layout.streams) = (model, streams)
            let found = try await layout.train()
            #expect(found.parameters == expected.parameters, "\(layout.testDescription)")
            #expect(found.generated == expected.generated, "\(layout.testDescription)")
            // Losses are summed slice by slice.
            for (a, b) in zip(found.losses, expected.losses) { #expect(abs(a - b) < 1e-12 * b) }
        }
    }

    /// With a layer that keeps every token of a sequence.
    @Test func aPrefixGivesTheSameBitsInEveryLayout() async throws {
        let model = LeakyModel(layers: 6, hasMeans: true)
        let expected = try await Layout(model: model).train()
        #expect(expected.losses[2] < expected.losses[0])
        for var layout in Self.layouts {
            layout.model = model
            let found = try await layout.train()
            #expect(found.parameters == expected.parameters, "\(layout.testDescription)")
            #expect(found.generated == expected.generated, "\(layout.testDescription)")
        }
        // Nor does it show where sequences are cut, in memory or on messages' way.
        for var layout in [
            Layout(slice: 6), Layout(stages: 3, slice: 6), Layout(stages: 2, slice: 4, recomputes: true),
        ] {
            (layout.model, layout.balances) = (model, true)
            #expect(try !layout.plan().cut.isEqual)
            let found = try await layout.train()
            #expect(found.parameters == expected.parameters, "\(layout.testDescription), balanced")
        }
    }

    /// One buffer for the values of a sequence, one for their gradients: never more than the table has sequences under
    /// way.
    @Test func aPrefixIsCountedOnceASequence() throws {
        var layout = Layout(stages: 2, model: LeakyModel(layers: 6, hasMeans: true))
        let plan = try layout.plan()
        let memory = plan.memory(of: 0, workers: 1)
        #expect(memory.prefix == 4 * Layout.length * 12)
        // 1f1b: a sequence's last slice goes back before the next sequence is whole.
        let rank = plan.memory(ofRank: 0, workers: 1, checkpoints: false)
        #expect(rank.prefixes % memory.prefix == 0 && rank.prefixes / memory.prefix >= 2)
        layout.schedule = "all-forward-all-backward"
        let all = try layout.plan().memory(ofRank: 0, workers: 1, checkpoints: false)
        #expect(all.prefixes == (Layout.sequences + 1) * memory.prefix)
        layout.streams = true
        #expect(throws: PipelineError.self) { try layout.plan() }
        layout.context = 5
        let context = try layout.plan()
        #expect(context.memory(of: 0, workers: 1).prefix == 4 * (Layout.length + 5) * 12)
        // Old and new rows of each stream.
        let own = context.memory(ofRank: 0, workers: 1, checkpoints: false)
        let rows = 4 * 12 * ((Layout.sequences + 1) * (Layout.length + 5) + 2 * Layout.sequences * 5)
        #expect(own.prefixes == rows)
    }

    /// Streams whose means count a part of a sequence before, or more than one.
    @Test(arguments: [5, 40]) func streamsWithAPrefixGiveTheSameBitsInEveryLayout(context: Int) async throws {
        let model = LeakyModel(layers: 6, hasMeans: true)
        var one = Layout(model: model)
        (one.streams, one.context) = (true, context)
        let expected = try await one.train()
        for var layout in Self.layouts {
            (layout.model, layout.streams, layout.context) = (model, true, context)
            let found = try await layout.train()
            #expect(found.parameters == expected.parameters, "\(layout.testDescription)")
        }
        one.context += 1
        #expect(try await one.train().parameters != expected.parameters)
    }

    @Test func replicasAndSharedMomentsGiveTheSameBitsInEveryLayout() async throws {
        var model = LeakyModel()
        model.ties = true
        let expected = try await Layout(replicas: 2, model: model).train()
        for layout in [
            Layout(stages: 3, replicas: 2, model: model), Layout(replicas: 2, shards: true, model: model),
            Layout(stages: 2, recomputes: true, replicas: 2, shards: true, model: model),
        ] {
            #expect(try await layout.train().parameters == expected.parameters, "\(layout.testDescription)")
        }
    }

    /// Of the memory that a plan promises and of what stages take.
    @Test(arguments: [(1, false), (3, true)]) func memoryIsWhatTheFormulaSays(stages: Int, recomputes: Bool)
        async throws
    {
        let plan = try Layout(stages: stages, recomputes: recomputes).plan()
        for number in 0..<stages {
            let parts = plan.model.parts(layers: plan.partition.layers(of: number))
            let stage = Stage(
                of: plan.model, parts, shape: SliceShape(length: plan.slice), matrices: TileProducts(Team(serial: ())),
                splitsWeightGradients: false)
            let memory = plan.memory(of: number, workers: 1)
            #expect(memory.unit == 4 * stage.slotCount && memory.state == 4 * stage.stateCount)
            #expect(memory.gradientUnit == 4 * stage.gradientSlotCount)
            #expect(memory.lightUnit == 4 * (stage.stateCount + plan.slice * plan.model.dim))
            let store = stage.store
            let floats = [store.values, store.gradients, store.firstMoments, store.secondMoments].map(\.count)
            #expect(memory.parameters == 4 * floats.reduce(0, +))
            #expect(memory.state > 0 || stages > 1)
        }
        let whole = (0..<stages).map { plan.memory(ofRank: $0, workers: 1, checkpoints: false) }
        #expect(whole.allSatisfy { $0.total > $0.parameters + $0.stashBytes })
        #expect(plan.parameterCount == plan.model.parameterCount)
    }
}
