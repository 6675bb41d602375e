import Model
import Numerics
import Schedules

extension PipelinePlan {
    /// Bytes of one stage as the engine lays them out.
    package struct StageMemory: Sendable, Equatable {
        /// A unit's activations, from its forward (or recompute) until its weight gradient is done.
        package let unit: Int
        /// What the input gradient leaves for the weight gradient, beside the activations.
        package let gradientUnit: Int
        /// A recomputed unit's input and entry state.
        package let lightUnit: Int
        /// The state that a sequence carries from slice to slice.
        package let state: Int
        /// What a sequence keeps of its tokens and of those before that it still sees, from its first forward to its
        /// last backward; their gradients take as much.
        package let prefix: Int
        /// What streams keep of the tokens before a sequence from step to step, of all sequences: the old rows until it
        /// is known whether the step counts, and the new ones.
        package let streamRows: Int
        /// The parameters; their gradients take as much.
        package let values: Int
        /// Both moments, of the tensors that the replica updates.
        package let moments: Int
        /// The weights in packed form.
        package let packed: Int
        /// Scratch of an action.
        package let workspace: Int

        /// Parameters, their gradients, both moments.
        package var parameters: Int { 2 * values + moments }

        /// What the stage holds whatever the schedule.
        package var resident: Int { parameters + packed + workspace + streamRows }

        subscript(_ family: SlotFamily) -> Int {
            switch family {
            case .full: unit
            case .light: lightUnit
            case .gradient: gradientUnit
            }
        }
    }

    /// Whether the table has weight gradients of the stage as actions of their own.
    func splitsWeightGradients(of stage: Int) -> Bool {
        table.rows[table.shape.rank(of: stage)].contains { $0.stage == stage && $0.kind == .backwardInput }
    }

    /// Bytes of a message between two ranks: an activation or its gradient.
    package var messageBytes: Int { wire.bytes(of: slice * model.dim) }

    /// - Parameters:
    ///   - workers: threads of the stage's rank
    ///   - replica: whose; they differ when each keeps the moments of its own tensors
    package func memory(of stage: Int, workers: Int, replica: Int = 0) -> StageMemory {
        let blocks = blocks(of: stage)
        let layout = StageLayout(
            blocks, dim: model.dim, shape: SliceShape(length: slice, workers: workers, matrices: matrices),
            splitsWeightGradients: splitsWeightGradients(of: stage))
        let sizes = slotSizes(
            full: layout.slotCount, state: layout.stateCount, gradient: layout.gradientSlotCount)
        let float = MemoryLayout<Float>.stride
        let store = ParameterLayout(
            blocks.flatMap(\.parameters), keepsMoments: keepsMoments(replica: replica, stage: stage))
        return StageMemory(
            unit: sizes.full * float, gradientUnit: sizes.gradient * float, lightUnit: sizes.light * float,
            state: layout.stateCount * float,
            prefix: layout.prefixWidth.saturatingTimes(sequence.saturatingPlus(streamContext).saturatingTimes(float)),
            streamRows: layout.prefixWidth.saturatingTimes(streamContext.saturatingTimes(2 * float * sequences)),
            values: store.count * float, moments: 2 * store.momentCount * float,
            packed: layout.packedCount * float, workspace: layout.workspaceCount * float)
    }

    /// Floats of a slot of each family.
    func slotSizes(of stage: Stage) -> SlotNumbers {
        slotSizes(full: stage.slotCount, state: stage.stateCount, gradient: stage.gradientSlotCount)
    }

    private func slotSizes(full: Int, state: Int, gradient: Int) -> SlotNumbers {
        SlotNumbers(full: full, light: state + slice * model.dim, gradient: gradient)
    }
}
