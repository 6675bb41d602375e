import Foundation
import Hardware
import Model
import Numerics
import Pipeline
import Schedules
import Testing

/// Two streams of made-up text with documents, for a model whose layers keep every token.
struct KeepingRun: Sendable, CustomTestStringConvertible {
    let name: String
    let model: any GoldenArchitecture
    var stages = 1
    var schedule = "1f1b"
    var recomputes = false
    var threads = 1
    var slice = 8
    /// Of a stash on disk.
    var folder: String?
    /// Tokens before a sequence that are seen; nil: no streams.
    var context: Int? = 24
    var length = 24
    /// Every sequence begins anew in this step.
    var restart: Int?

    static let sequences = 2

    var testDescription: String { name }

    private init(_ name: String, _ model: any GoldenArchitecture) {
        self.name = name
        var model = model
        model.resolve(for: TextNeeds(vocabulary: 31, documentMark: 3))
        self.model = model
    }

    private static func mega(
        _ attention: MegaConfiguration.Attention, _ bias: MegaConfiguration.PositionBiasKind
    ) -> MegaConfiguration {
        var c = MegaConfiguration()
        (c.layers, c.dim, c.zDim, c.valueDim, c.ffnDim, c.emaDim) = (4, 24, 16, 32, 40, 2)
        (c.chunk, c.maxPositions, c.attention, c.positionBias) = (0, 80, attention, bias)
        return c
    }

    private static var llama: LlamaConfiguration {
        var c = LlamaConfiguration()
        (c.layers, c.dim, c.heads, c.keyHeads, c.ffnDim) = (4, 32, 4, 2, 48)
        return c
    }

    static let all = [
        KeepingRun("llama", llama), KeepingRun("mega, softmax, rotary bias", mega(.softmax, .rotary)),
        KeepingRun("mega, laplace, simple bias", mega(.laplace, .simple)),
        KeepingRun("mega, relu2, rotary bias", mega(.relu2, .rotary)),
    ]

    func plan() throws -> PipelinePlan {
        var table = try ScheduleRegistry.generator(named: schedule).make(
            ScheduleRequest(ranks: stages, virtualStages: nil, sequences: Self.sequences, slices: length / slice))
        if recomputes { table = table.withRecompute() }
        return try PipelinePlan(
            model: model, table: table, partition: .even(layers: model.layers, stages: table.shape.stages),
            cut: SliceCut(slice: slice, count: length / slice), replicas: 1, streams: context != nil,
            streamContext: context ?? 0, stashDirectory: folder)
    }

    /// Token `i` of a stream; one in 60 begins a document, so that some are longer than any context.
    static func token(_ stream: Int, _ i: Int) -> Int32 {
        let drawn = Int32(CounterGenerator(seed: 9, stream: UInt64(stream)).integer(UInt64(i), below: 60))
        return drawn == 3 ? 3 : 4 + drawn % 12
    }

    /// The tokens of a step, `length` after `length`.
    func batch(_ step: Int) -> Batch {
        let places = (0..<Self.sequences).flatMap { n in (0..<length).map { (n, step * length + $0) } }
        return Batch(
            tokens: places.map { Self.token($0, $1) }, targets: places.map { Self.token($0, $1 + 1) }, length: length,
            countedTargets: places.count, sequenceNumbers: (0..<Self.sequences).map { step * Self.sequences + $0 },
            restarts: (0..<Self.sequences).map { _ in step == 0 || step == restart || context == nil })
    }

    func withGroup<Value>(_ body: (RankGroup) async throws -> Value) async throws -> Value {
        let group = try await RankGroup.inProcess(
            plan: try plan(), seed: 5, topology: try Topology(), threads: threads)
        do {
            let value = try await body(group)
            await group.stop()
            return value
        } catch {
            await group.stop()
            throw error
        }
    }

    func step(
        _ group: RankGroup, _ number: Int, rate: Double = 5e-3, poisoned: Bool = false
    ) async throws -> StepReport {
        try await group.step(
            [batch(number)], number: number, rule: UpdateRule(adam: AdamW(), rate: rate, clip: rate > 0 ? 1 : 0),
            disturbance: { _ in poisoned ? .poison : nil })
    }

    static func parameters(_ group: RankGroup) async throws -> [[UInt32]] {
        let values = try await group.collectParameters(into: { Harness.Sink() }, finish: { $0.values }) ?? []
        return values.map { $0.map(\.bitPattern) }
    }

    static func snapshot(_ group: RankGroup) async throws -> SnapshotTests.Memory {
        let snapshots = try await group.makeSnapshots().compactMap { $0 }
        _ = try await group.capture(snapshots)
        let memory = SnapshotTests.Memory(snapshots)
        for snapshot in snapshots { snapshot.giveBack() }
        return memory
    }

    /// The bits after so many steps.
    func train(_ steps: Int) async throws -> [[UInt32]] {
        try await withGroup { group in
            for number in 0..<steps { _ = try await step(group, number) }
            return try await Self.parameters(group)
        }
    }
}

/// Streams of layers that keep every token: those before a sequence are seen as far back as the user says.
@Suite(.serialized) struct StreamContextTests {
    /// Loss and gradients of the second half of sequences twice as long, in slices, when nothing goes back into the
    /// first half.
    private func secondHalf<Model: GoldenArchitecture>(
        _ own: KeepingRun, _ model: Model
    ) -> (loss: Double, gradient: (String) -> [Float]) {
        let run = ModelRun(model, longest: own.slice, sequence: 2 * own.length, team: Team(serial: ()))
        run.stage.store.initialize(seed: 5, Team(serial: ()))
        run.stage.beginStep()
        let scale = Float(1 / Double(KeepingRun.sequences * own.length))
        var loss = 0.0
        for n in 0..<KeepingRun.sequences {
            let stream = ModelRun<Model>.Stream(run)
            let tokens = (0..<2 * own.length).map { KeepingRun.token(n, $0) }
            let targets = (0..<2 * own.length).map { KeepingRun.token(n, $0 + 1) }
            for start in stride(from: 0, to: tokens.count, by: own.slice) {
                if start == own.length { run.forget() }
                let range = start..<start + own.slice
                let sum = run.forward(
                    stream, tokens: Array(tokens[range]), targets: Array(targets[range]), lossScale: scale
                ).loss
                if start >= own.length { loss += sum * Double(scale) }
            }
            run.backward(tokens: tokens, targets: targets, lossScale: scale) { _, _ in }
        }
        run.stage.endStep()
        return (loss, { run.gradient($0) })
    }

    /// As long as the context holds all of it, a sequence goes on as if it were the second half of a longer one whose
    /// first half is detached.
    @Test(arguments: KeepingRun.all) func aSequenceGoesOnAsALongerOne(_ own: KeepingRun) async throws {
        let adam = AdamW()
        let (loss, before, after) = try await own.withGroup { group in
            _ = try await own.step(group, 0, rate: 0)
            let before = try await KeepingRun.snapshot(group)
            let loss = try await own.step(group, 1, rate: 0).loss
            return (loss, before, try await KeepingRun.snapshot(group))
        }
        let expected = secondHalf(own, own.model)
        #expect(abs(loss - expected.loss) < 1e-6 * expected.loss, "\(loss), \(expected.loss)")
        for name in before.tensors.keys.filter({ before.tensors[$0 + ".adam_m"] != nil }).sorted() {
            // With a rate of 0 the first moment alone tells the gradient: m2 = b m1 + (1 - b) g.
            let (m1, m2) = (before.tensors[name + ".adam_m"]!.values, after.tensors[name + ".adam_m"]!.values)
            let found = zip(m1, m2).map { (Double($1) - Double(adam.beta1) * Double($0)) / (1 - Double(adam.beta1)) }
            let gradient = expected.gradient(name)
            let largest = gradient.reduce(1e-7) { max($0, abs($1)) }
            let error = zip(found, gradient).reduce(0) { max($0, abs($1.0 - Double($1.1))) }
            #expect(error < 2e-4 * Double(largest), "\(name): \(error) of \(largest)")
        }
        // Without the tokens before, it is another sequence.
        var alone = own
        alone.restart = 1
        let anew = try await alone.withGroup { group in
            _ = try await alone.step(group, 0, rate: 0)
            return try await alone.step(group, 1, rate: 0).loss
        }
        #expect(abs(anew - loss) > 1e-4 * loss)
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("gecko-context-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        try await body(url.path)
    }

    /// Less than a sequence, and more than one: then what is kept grows for some steps.
    @Test(arguments: KeepingRun.all, [10, 40]) func everyLayoutGivesTheSameBits(
        _ own: KeepingRun, context: Int
    ) async throws {
        var one = own
        one.context = context
        one.restart = 3
        let marks = (0..<5).map { one.batch($0).tokens.count { $0 == 3 } }
        #expect(marks.reduce(0, +) > 0 && marks.contains(0), "documents end, and not everywhere")
        let expected = try await one.train(5)
        try await withFolder { folder in
            for layout in 0..<6 {
                var other = one
                switch layout {
                case 0: (other.stages, other.schedule) = (2, "all-forward-all-backward")
                case 1: (other.stages, other.schedule) = (3, "zb-h1")
                case 2: (other.stages, other.schedule) = (2, "interleaved")
                case 3: (other.stages, other.recomputes) = (2, true)
                case 4: (other.stages, other.folder) = (2, folder)
                default: other.threads = 2
                }
                let found = try await other.train(5)
                #expect(found == expected, "layout \(layout)")
            }
        }
        var less = one
        less.context = context / 2
        let other = try await less.train(5)
        #expect(other != expected, "the context is what is seen")
    }

    @Test(arguments: KeepingRun.all) func anyLayoutGoesOnFromAnyStep(_ own: KeepingRun) async throws {
        var one = own
        one.context = 40
        let steps = 4
        let expected = try await one.train(steps)
        for saved in 1..<steps {
            var first = one
            first.stages = 1 + saved % 2
            let memory = try await first.withGroup { group in
                for number in 0..<saved { _ = try await first.step(group, number) }
                return try await KeepingRun.snapshot(group)
            }
            let rows = memory.tensors.first { $0.key == "streams.1.layers.3.rows" }?.value
            #expect(rows?.shape.first == min(40, saved * one.length), "\(memory.tensors.keys.sorted())")
            for layout in 0..<3 {
                var other = one
                switch layout {
                case 0: (other.stages, other.schedule) = (3, "zb-h1")
                case 1: (other.stages, other.schedule) = (2, "interleaved")
                default: (other.recomputes, other.threads) = (true, 2)
                }
                let found = try await other.withGroup { group in
                    try await group.restore(from: { _ in memory }, optimizerStep: saved, streams: true)
                    for number in saved..<steps { _ = try await other.step(group, number) }
                    return try await KeepingRun.parameters(group)
                }
                #expect(found == expected, "after step \(saved), layout \(layout)")
            }
        }
    }

    /// A step that is skipped leaves the rows as they were.
    @Test(arguments: KeepingRun.all) func aSkippedStepCarriesNothingOn(_ own: KeepingRun) async throws {
        func train(skipping: Bool) async throws -> [[UInt32]] {
            try await own.withGroup { group in
                _ = try await own.step(group, 0)
                if skipping {
                    let report = try await own.step(group, 1, poisoned: true)
                    #expect(report.skipped)
                }
                for number in 2..<4 { _ = try await own.step(group, number) }
                return try await KeepingRun.parameters(group)
            }
        }
        let (skipped, without) = (try await train(skipping: true), try await train(skipping: false))
        #expect(skipped == without)
    }

    /// What is kept, and what is counted: late slices cost more, and all of them more than without a context.
    @Test func memoryAndCostsKnowTheContext() throws {
        var own = KeepingRun.all[0]
        (own.context, own.stages) = (10, 2)
        let plan = try own.plan()
        own.context = nil
        let without = try own.plan()
        // Two layers a stage, keys and values of two heads of 8.
        let row = 4 * 2 * 2 * 2 * 8
        let (memory, plain) = (plan.memory(of: 0, workers: 1), without.memory(of: 0, workers: 1))
        #expect(plain.prefix == 24 * row && plain.streamRows == 0)
        #expect(memory.prefix == 34 * row && memory.streamRows == 2 * 2 * 10 * row)
        #expect(memory.resident == plain.resident + memory.streamRows)
        let rank = plan.memory(ofRank: 0, workers: 1, checkpoints: false)
        #expect((rank.prefixes - memory.streamRows) % memory.prefix == 0 && rank.prefixes > memory.streamRows)
        let saving = plan.memory(ofRank: 0, workers: 1, checkpoints: true)
        #expect(saving.snapshot == memory.values + memory.moments + 2 * (memory.state + 10 * row))
        // 4 D flops for each token that is seen more, in each of the stage's layers.
        #expect(plan.meanForwardFlops(of: 0) - without.meanForwardFlops(of: 0) == Double(2 * 4 * 32 * 10))
        let layers = own.model.layerKinds
        func cut(_ before: Int) -> SliceCut {
            .balanced(sequence: 600, count: 2, layers: layers, multiple: 1, before: before)
        }
        #expect(cut(0).length(of: 0) > cut(600).length(of: 0) && cut(600).length(of: 0) > 300)
    }

    @Test func whatCannotBeIsRefused() throws {
        var own = KeepingRun.all[0]
        own.context = 0
        let endless = #expect(throws: PipelineError.self) { try own.plan() }
        #expect(endless?.description.contains("set data.stream_context to the tokens") == true)
        var harness = Harness()
        harness.streams = true
        harness.streamContext = 8
        let fixed = #expect(throws: PipelineError.self) { try harness.plan() }
        #expect(fixed?.description.contains("data.stream_context = 8") == true, "\(String(describing: fixed))")
        harness.streams = false
        let none = #expect(throws: PipelineError.self) { try harness.plan() }
        #expect(none?.description.contains("data.streams is false") == true, "\(String(describing: none))")
    }
}
