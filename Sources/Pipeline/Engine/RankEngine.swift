import Glibc
import Hardware
import MPI
import Model
import Numerics
import Schedules

/// What one rank does, as the parts that do it: its stages and their memory, the executor of its row, the sync, the
/// update, copies of its state, its timeline. Confined to the rank's thread; `StageActor` owns it.
final class RankEngine {
    let context: RankContext
    private let stages: RankStages
    private let batch: BatchMemory
    private let progress: MessageProgress
    private let executor: TableExecutor
    private let training: TrainingWork
    private let sync: ReplicaSync?
    private let ties: TiedGradients
    private let update: ParameterUpdate
    let trace: RankTrace
    let state: StateCopies
    let parameters: ParameterTransfer
    let copies: FileCopies
    /// Made when text is first generated.
    private var generator: Generator?
    private let matrices: any MatrixProducts

    init(plan: PipelinePlan, endpoint: any Endpoint, team: Team, heartbeat: Heartbeat, seed: UInt64) throws {
        context = try RankContext(plan: plan, endpoint: endpoint, team: team, heartbeat: heartbeat)
        matrices = try plan.matrices.products(on: team, precision: plan.model.precision)
        let slices = SharedSlices(plan)
        batch = BatchMemory(plan, slices)
        let most = plan.mostMessages(on: context.rank)
        endpoint.reserve(transfers: most)
        progress = MessageProgress(context)
        executor = TableExecutor(
            context, progress, buffers: BufferPool(plan.slice * plan.model.dim, buffers: most),
            elements: (0..<plan.slices).map { plan.cut.length(of: $0) * plan.model.dim }, wire: plan.wire)
        let shape = SliceShape(length: plan.slice, workers: team.count, matrices: plan.matrices)
        let (context, matrices) = (context, matrices)
        stages = RankStages(
            plan.table.shape.stages(on: context.rank).map {
                StageRuntime($0, of: context, shape: shape, matrices: matrices, slices: slices)
            })
        for stage in stages.all {
            stage.stage.store.touch(team)
            stage.stage.store.initialize(seed: seed, team)
        }
        trace = RankTrace(context)
        training = try TrainingWork(context, stages, batch, progress, trace, seed: seed)
        sync = ReplicaSync(context, stages, progress)
        ties = TiedGradients(context, stages)
        update = ParameterUpdate(context, stages)
        state = StateCopies(context, stages, update)
        parameters = ParameterTransfer(context, stages)
        copies = FileCopies(context)
    }

    /// One training step: the table, the sync, the global norm, the update. The numbers of the report are the same on
    /// every rank.
    ///
    /// - Parameters:
    ///   - notes: numbers that this rank tells all others with the norms, asked for when the gradients are complete;
    ///     equally many on every rank
    ///   - disturbance: asked for then too
    func step(
        _ batch: Batch, number: Int, rule: UpdateRule, notes: () -> [Double], disturbance: () throws -> Disturbance?
    ) throws -> StepReport {
        let (plan, team) = (context.plan, context.team)
        precondition(batch.sequences == plan.sequences && batch.length == plan.sequence, "the batch must fit the plan")
        let start = MonotonicClock.seconds
        team.clock?.enter(.update)
        defer { team.clock?.enter(nil) }
        try trace.timed(.begin) {
            training.load(batch, step: number)
            try executor.begin(plan.messages)
        }
        try executor.run(plan.table.rows[context.rank], training)
        training.finish()
        team.clock?.enter(.update)
        let tableSeconds = MonotonicClock.seconds - start
        if let sync { try trace.timed(.sync) { try sync.finishGradients() } }
        if plan.hasTies {
            try trace.timed(.tied) { try team.alone(as: .communication) { try ties.sum() } }
        }
        try disturb(disturbance(), step: number)
        var report = try trace.timed(.norm) {
            try update.exchange(
                .init(
                    tableSeconds: tableSeconds, waited: executor.waited, earlyShare: sync?.earlyShare ?? 0,
                    lossSum: lossSum(sequences: plan.sequences)),
                notes: notes(), countedTargets: batch.countedTargets)
        }
        if !report.skipped, report.hasTargets {
            context.heartbeat.turn(to: StepActivity.updates(step: Int32(number)))
            trace.timed(.optimizer) { update.run(rule, gradientNorm: report.gradientNorm) }
            if let sync, plan.owners != nil { try trace.timed(.share) { try sync.shareUpdates() } }
        }
        for stage in stages.all { stage.settleStreams(skipped: report.skipped) }
        report.seconds = MonotonicClock.seconds - start
        return report
    }

    /// Continues a prompt; `emit` is called with each token as it is chosen.
    func generate(
        _ request: Generator.Request, isStopped: () -> Bool, emit: (Int32) throws -> Void
    ) throws -> [Int32] {
        let generator =
            try generator
            ?? Generator(context, stages, progress, matrices: matrices, length: min(128, context.plan.slice))
        self.generator = generator
        return try generator.run(request, isStopped: isStopped, emit: emit)
    }

    private func disturb(_ disturbance: Disturbance?, step: Int) throws {
        switch disturbance {
        case nil: break
        case .poison: try update.poison(step: step)
        case .hang: while true { sleep(1) }
        }
    }

    /// The token losses of the replicas' sequences (any number of them), parameters as they are. Every replica must
    /// bring equally many sequences.
    func evaluate(_ batch: Batch) throws -> EvaluationSums {
        self.batch.load(batch)
        for stage in stages.all { stage.stage.beginStep(trains: false) }
        let table = try context.plan.forwardTable(sequences: batch.sequences, slices: context.plan.slices)
        let row = table.rows[context.rank]
        try executor.begin(Messages(table))
        let plan = context.plan
        let work = EvaluationWork(
            stages, self.batch, row: row, cut: plan.cut,
            positions: PositionSums(PositionBins(sequence: plan.sequence), sequences: batch.sequences))
        try executor.run(row, work)
        let own = lossSum(sequences: batch.sequences) ?? 0
        let all = try context.endpoint.allGather([own] + work.positions.values)
        // Of a replica's ranks only that of its last stage has losses: the others bring zeros, which change no bit.
        let positions = (0..<plan.replicas).map { replica in
            (0..<plan.ranks).reduce(into: [Double](repeating: 0, count: work.positions.values.count)) { sum, rank in
                let row = all[plan.worldRank(replica: replica, rank: rank)].dropFirst()
                for (i, value) in row.enumerated() { sum[i] += value }
            }
        }
        return EvaluationSums(loss: all.reduce(0) { $0 + $1[0] }, positions: positions)
    }

    /// Sum of this replica's token losses in nats after a table, where the last stage lives; nil elsewhere.
    private func lossSum(sequences: Int) -> Double? {
        stages.haveLosses ? batch.lossSum(sequences: sequences) : nil
    }
}

package struct PipelineError: Error, CustomStringConvertible, Sendable {
    package let description: String
    /// This rank was stopped because another failed.
    package let isConsequence: Bool

    package init(_ description: String, isConsequence: Bool = false) {
        self.description = description
        self.isConsequence = isConsequence
    }
}

extension Error {
    /// Whether another rank did not come in time.
    package var isLostPeer: Bool {
        switch self {
        case let error as MPIError: error.isLostPeer
        case let error as TransportError: error.isLostPeer
        default: false
        }
    }
}
