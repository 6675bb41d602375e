import Model
import Schedules

/// A batch in memory that stays in place while slices point into it, and what its units' losses come to.
final class BatchMemory {
    private let plan: PipelinePlan
    private var tokens: FixedBuffer<Int32>
    private var targets: FixedBuffer<Int32>
    /// Sums of token losses in nats, by unit.
    private var losses: [Double]
    private let slices: SharedSlices

    /// - Parameter slices: made of the tokens, and forgotten with them
    init(_ plan: PipelinePlan, _ slices: SharedSlices) {
        self.plan = plan
        self.slices = slices
        tokens = FixedBuffer(plan.sequences * plan.sequence)
        targets = FixedBuffer(plan.sequences * plan.sequence)
        losses = [Double](repeating: 0, count: plan.sequences * plan.slices)
    }

    /// Copies a batch of any number of sequences.
    func load(_ batch: Batch) {
        slices.forget()
        if batch.tokens.count > tokens.count {
            tokens = FixedBuffer(batch.tokens.count)
            targets = FixedBuffer(batch.tokens.count)
        }
        let units = batch.sequences * plan.slices
        if units > losses.count { losses = [Double](repeating: 0, count: units) }
        tokens.base.update(from: batch.tokens, count: batch.tokens.count)
        targets.base.update(from: batch.targets, count: batch.targets.count)
    }

    /// What an action's stage reads.
    func inputs(of action: Action, lossScale: Float, dropout: DropoutStream?) -> StageRuntime.Inputs {
        let first = action.sequence * plan.sequence + plan.cut.start(of: action.slice)
        return StageRuntime.Inputs(
            tokens: tokens.base + first, targets: targets.base + first, lossScale: lossScale, dropout: dropout)
    }

    func record(_ loss: Double, of action: Action) { losses[action.sequence * plan.slices + action.slice] = loss }

    /// The sum over the first so many sequences' units, in their order.
    func lossSum(sequences: Int) -> Double { losses[..<(sequences * plan.slices)].reduce(0, +) }
}
