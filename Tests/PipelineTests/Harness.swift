import Hardware
import Model
import Numerics
import Pipeline
import Schedules

/// A small model and made-up text, trained in process for a few steps in any layout.
struct Harness {
    var model: GeckoConfiguration = {
        var c = GeckoConfiguration()
        c.layers = 4
        c.dim = 48
        c.zDim = 16
        c.valueDim = 40
        c.ffnDim = 56
        c.heads = 2
        c.ropeHeads = 1
        c.emaDim = 3
        c.chunk = 8
        c.normGroups = 8
        c.vocabulary = 31
        return c
    }()
    var stages = 1
    var replicas = 1
    var schedule = "1f1b"
    var recompute = false
    var split = false
    var threads = 1
    var sequences = 3
    var slices = 4
    var slice = 16
    var steps = 3
    var layers: [Int]?
    var streams = false
    /// Tokens before a sequence that layers which keep every token still see.
    var streamContext = 0
    var rate = 5e-3
    var virtualStages: Int?
    /// The optimizer's state is shared out over the replicas.
    var shards = false
    /// Bytes of the buckets and pieces of the gradient sync.
    var bucket = SyncSizes().bucket
    var piece = SyncSizes().piece
    /// What matrix products are computed by.
    var matrices = MatrixEngine.tiles
    /// The folder of a stash on disk.
    var stash: String?

    struct Outcome: Equatable {
        static func == (a: Outcome, b: Outcome) -> Bool {
            a.parameters == b.parameters && a.losses == b.losses && a.norms == b.norms && a.evaluation == b.evaluation
                && a.positions == b.positions && a.generated == b.generated
        }

        var parameters: [[Float]] = []
        var losses: [Double] = []
        var norms: [Double] = []
        /// The share of its sums that some rank had formed before its last gradients were complete, in the step where
        /// it was least.
        var leastEarlySum = Double.infinity
        var evaluation = 0.0
        /// Its losses by sequence and position.
        var positions: [Double] = []
        var generated: [Int32] = []
    }

    final class Sink: ParameterSink {
        var names: [String] = []
        var values: [[Float]] = []
        func take(_ spec: ParameterSpec, _ v: UnsafeBufferPointer<Float>) {
            names.append(spec.name)
            values.append(Array(v))
        }
    }

    func plan() throws -> PipelinePlan {
        var table = try ScheduleRegistry.generator(named: schedule).make(
            ScheduleRequest(
                ranks: stages, virtualStages: virtualStages, sequences: sequences / replicas, slices: slices))
        if split { table = table.splittingWeightGradients() }
        if recompute { table = table.withRecompute() }
        let partition =
            layers.map { LayerPartition(counts: $0) } ?? .even(layers: model.layers, stages: table.shape.stages)
        var plan = try PipelinePlan(
            model: model, table: table, partition: partition, cut: SliceCut(slice: slice, count: slices),
            replicas: replicas, streams: streams, streamContext: streamContext,
            stashDirectory: stash, shardsOptimizer: shards)
        plan.matrices = matrices
        plan.sync.bucket = bucket
        plan.sync.piece = piece
        return plan
    }

    /// The batch of one replica at a step: numbers that depend on the global sequence only.
    func batch(step: Int, replica: Int) -> Batch {
        let length = slice * slices
        let per = sequences / replicas
        var tokens: [Int32] = []
        var targets: [Int32] = []
        var counted = 0
        for n in 0..<sequences {
            let text = CounterGenerator(seed: 9, stream: UInt64(streams ? n : step * sequences + n))
            func token(_ i: Int) -> Int32 {
                Int32(text.integer(UInt64(i + (streams ? step * length : 0)), below: UInt64(model.vocabulary)) / 2)
            }
            for i in 0..<length {
                let target = token(i + 1)
                let ignored = model.bosID.map { Int32($0) == target } ?? false
                if !ignored { counted += 1 }
                if n / per == replica {
                    tokens.append(token(i))
                    targets.append(ignored ? -100 : target)
                }
            }
        }
        return Batch(
            tokens: tokens, targets: targets, length: length, countedTargets: counted,
            sequenceNumbers: (0..<per).map { step * sequences + replica * per + $0 },
            restarts: [Bool](repeating: !streams || step == 0, count: per))
    }

    func run() async throws -> Outcome {
        let plan = try plan()
        let group = try await RankGroup.inProcess(plan: plan, seed: 5, topology: try Topology(), threads: threads)
        var outcome = Outcome()
        do {
            for step in 0..<steps {
                let report = try await group.step(
                    (0..<replicas).map { batch(step: step, replica: $0) }, number: step,
                    rule: UpdateRule(adam: AdamW(), rate: rate, clip: 1))
                outcome.losses.append(report.loss)
                outcome.norms.append(report.gradientNorm)
                outcome.leastEarlySum = min(outcome.leastEarlySum, report.earlySums.max() ?? 0)
            }
            let sums = try await group.evaluate((0..<replicas).map { batch(step: 77, replica: $0) })
            (outcome.evaluation, outcome.positions) = (sums.loss, sums.positions.flatMap { $0 })
            outcome.generated = try await group.generate(
                prompt: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], count: 20, temperature: 0.7, seed: 3)
            outcome.parameters =
                try await group.collectParameters(into: { Sink() }, finish: { $0.values }) ?? []
        } catch {
            await group.stop()
            throw error
        }
        await group.stop()
        return outcome
    }
}
