import Kernels
import Model
import Numerics

extension PipelinePlan {
    /// Bytes of one stage as the engine lays them out.
    package struct StageMemory: Sendable, Equatable {
        /// A unit's activations, from its forward (or recompute) until its weight gradient is done.
        package let unit: Int
        /// What the input gradient leaves for the weight gradient, beside the activations.
        package let gradientUnit: Int
        /// A recomputed unit's input and entry state.
        package let lightUnit: Int
        /// Parameters, their gradients, both moments, the weights in packed form, and scratch.
        package let resident: Int
    }

    /// Bytes of an activation or its gradient between two stages.
    package var messageBytes: Int { slice * model.dim * MemoryLayout<Float>.stride }

    /// - Parameter workers: threads of the stage's rank
    package func memory(of stage: Int, workers: Int) -> StageMemory {
        let blocks = blocks(of: stage)
        let geometry = SliceGeometry(
            length: slice, chunk: model.chunk, aligned: true, tile: KernelTable.emaTile, workers: workers)
        let layout = StageLayout(blocks: blocks, dim: model.dim, geometry: geometry)
        let float = MemoryLayout<Float>.stride
        let parameters = blocks.flatMap(\.parameters).reduce(0) { $0 + $1.count }
        return StageMemory(
            unit: layout.slotCount * float, gradientUnit: layout.gradientSlotCount * float,
            lightUnit: layout.stateCount * float + messageBytes,
            resident: (4 * parameters + layout.packedCount + layout.workspaceCount) * float)
    }
}
