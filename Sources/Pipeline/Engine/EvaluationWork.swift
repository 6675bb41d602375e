import Numerics
import Schedules

/// Forwards of sequences that begin anew, with the parameters as they are.
final class EvaluationWork: TableWork {
    private let stages: RankStages
    private let memory: BatchMemory
    private let row: [Action]
    private let cut: SliceCut
    /// Where the last stage lives, the losses of its sequences.
    private(set) var positions: PositionSums

    init(_ stages: RankStages, _ memory: BatchMemory, row: [Action], cut: SliceCut, positions: PositionSums) {
        self.stages = stages
        self.memory = memory
        self.row = row
        self.cut = cut
        self.positions = positions
    }

    func activity(of action: Action, at position: Int) -> StepActivity { .evaluates(row, position: Int32(position)) }

    func accept(_ input: FloatBuffer, for action: Action, at position: Int) {
        stages[action.stage].evaluationInput.update(from: input.base, count: input.count)
    }

    func forward(_ action: Action, at position: Int, output: UnsafeMutablePointer<Float>) {
        let stage = stages[action.stage]
        stage.evaluate(action, memory.inputs(of: action, lossScale: 0, dropout: nil), output: output)
        guard stage.isLast else { return }
        memory.record(stage.lossSum, of: action)
        positions.add(
            stage.tokenLosses.prefix(cut.length(of: action.slice)), sequence: action.sequence,
            first: cut.start(of: action.slice))
    }
}
