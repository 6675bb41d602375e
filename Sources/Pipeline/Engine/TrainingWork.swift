import Hardware
import Model
import Numerics
import Schedules

/// A training step's actions on a rank's stages: forwards, recomputes, backwards and weight gradients of the plan's
/// table. Afterwards every stage's gradient is complete, and on its way to the other replicas since its block had it.
final class TrainingWork: TableWork {
    private let rank: RankContext
    private let stages: RankStages
    private let memory: BatchMemory
    private let progress: MessageProgress
    private let trace: RankTrace
    private let seed: UInt64
    /// Nil when the stash is all in memory.
    private let spool: StashSpool?
    private let row: [Action]
    private let slots: [SlotNumbers]

    // The step under way.
    private var step = 0
    private var lossScale: Float = 0
    private var sequenceNumbers: [Int] = []
    private var restarts: [Bool] = []

    init(
        _ rank: RankContext, _ stages: RankStages, _ memory: BatchMemory, _ progress: MessageProgress,
        _ trace: RankTrace, seed: UInt64
    ) throws {
        self.rank = rank
        self.stages = stages
        self.memory = memory
        self.progress = progress
        self.trace = trace
        self.seed = seed
        row = rank.plan.table.rows[rank.rank]
        slots = rank.plan.slots.rows[rank.rank]
        spool = try StashSpool(
            rank.plan, rank: rank.rank, worldRank: rank.endpoint.rank, workers: rank.team.count)
    }

    func load(_ batch: Batch, step: Int) {
        self.step = step
        lossScale = Float(1 / Double(max(1, batch.countedTargets)))
        sequenceNumbers = batch.sequenceNumbers
        restarts = batch.restarts
        memory.load(batch)
        for stage in stages.all { stage.beginStep() }
    }

    /// After the row: nothing may be left in flight.
    func finish() {
        rank.heartbeat.turn(to: StepActivity.hasFinishedItsRow(step: Int32(step)))
        for stage in stages.all where !stage.isDrained {
            preconditionFailure("stage \(stage.number) still holds units after its row")
        }
    }

    var tracer: Tracer? { trace.tracer }

    func activity(of action: Action, at position: Int) -> StepActivity {
        .computes(row, position: Int32(position), step: Int32(step))
    }

    func begin(_ action: Action, at position: Int) throws -> Double {
        guard let spool else { return 0 }
        let start = MonotonicClock.seconds
        try rank.team.alone(as: .communication) {
            try spool.wait(for: slots[position], of: action.stage) { progress.advance() }
        }
        return MonotonicClock.seconds - start
    }

    func end(_ action: Action, at position: Int) {
        spool?.carryOut(after: position) { stages[$0].memory }
    }

    private func inputs(of action: Action) -> StageRuntime.Inputs {
        memory.inputs(
            of: action, lossScale: lossScale,
            dropout: rank.plan.model.drops
                ? DropoutStream(seed: seed, step: step, sequence: sequenceNumbers[action.sequence]) : nil)
    }

    func accept(_ input: FloatBuffer, for action: Action, at position: Int) {
        let target = stages[action.stage].input(slots[position])
        rank.team.alone(as: .elementwise) { target.update(from: input.base, count: input.count) }
    }

    func forward(_ action: Action, at position: Int, output: UnsafeMutablePointer<Float>) {
        let stage = stages[action.stage]
        stage.forward(
            action, slots[position], inputs(of: action), restart: !rank.plan.streams || restarts[action.sequence],
            output: output)
        if stage.isLast { memory.record(stage.lossSum, of: action) }
    }

    func recompute(_ action: Action, at position: Int, scratch: UnsafeMutablePointer<Float>) {
        stages[action.stage].recompute(action, slots[position], inputs(of: action), output: scratch)
    }

    func backward(_ action: Action, at position: Int, gradient: UnsafeMutablePointer<Float>) {
        stages[action.stage].backward(action, slots[position], inputs(of: action), gradient: gradient)
    }

    func accumulateWeightGradients(_ action: Action, at position: Int) {
        stages[action.stage].accumulateWeightGradients(action, slots[position], inputs(of: action))
    }
}
