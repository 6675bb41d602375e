import Hardware
import Kernels
import Numerics

/// A run of consecutive blocks on one rank, with their parameters: what a pipeline stage computes.
///
/// Slices in flight live in memory that the caller lays out: a *slot* holds the inputs of all blocks and their stashes, a *gradient
/// slot* the upstream gradients of the linear maps, a *state* the carried state of all blocks. Confined to one thread.
package final class Stage {
    package let blocks: [any Block]
    package let store: ParameterStore
    package let geometry: SliceGeometry
    package let dim: Int
    package let team: Team
    private let sizes: [BlockSizes]
    private let workspace: FloatBuffer
    private let stashOffsets: [Int]
    private let gradientOffsets: [Int]
    private let stateOffsets: [Int]

    /// Floats of a slot, a gradient slot and a state.
    package let slotCount: Int
    package let gradientSlotCount: Int
    package let stateCount: Int

    /// `sharing`: the parameters of a stage with the same blocks, for another memory layout.
    package init(
        blocks: [any Block], dim: Int, geometry: SliceGeometry, team: Team, sharing: ParameterStore? = nil
    ) {
        self.blocks = blocks
        self.geometry = geometry
        self.dim = dim
        self.team = team
        store = sharing ?? ParameterStore(blocks.flatMap(\.parameters))
        for block in blocks { block.bind(store) }
        sizes = blocks.map { $0.sizes(for: geometry) }
        workspace = FloatBuffer(sizes.map(\.workspace).max() ?? 0)
        let activation = geometry.length * dim
        func offsets(_ counts: [Int], from first: Int = 0) -> ([Int], Int) {
            var carver = Carver(counting: ())
            _ = carver.take(first)
            var result: [Int] = []
            for count in counts {
                result.append(carver.used)
                _ = carver.take(count)
            }
            return (result, carver.used)
        }
        let aligned = (activation + FloatBuffer.alignment - 1) / FloatBuffer.alignment * FloatBuffer.alignment
        (stashOffsets, slotCount) = offsets(sizes.map(\.stash), from: aligned * blocks.count)
        (gradientOffsets, gradientSlotCount) = offsets(sizes.map(\.gradientStash))
        (stateOffsets, stateCount) = offsets(sizes.map(\.state))
    }

    /// Input [T, D] of block `i` in a slot; block 0's is where the caller puts what arrives.
    package func input(_ slot: UnsafeMutablePointer<Float>, of i: Int = 0) -> UnsafeMutablePointer<Float> {
        let a = FloatBuffer.alignment
        return slot + i * ((geometry.length * dim + a - 1) / a * a)
    }

    package func stash(_ slot: UnsafeMutablePointer<Float>, of i: Int) -> UnsafeMutablePointer<Float> {
        slot + stashOffsets[i]
    }

    package func state(_ state: UnsafeMutablePointer<Float>, of i: Int) -> UnsafeMutablePointer<Float> {
        state + stateOffsets[i]
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>) {
        for (i, block) in blocks.enumerated() { block.initialState(state + stateOffsets[i], geometry) }
    }

    /// Call before a step's forwards; `trains` false leaves the gradients alone.
    package func beginStep(trains: Bool = true) {
        if trains { store.gradients.clear() }
        for block in blocks { block.beginStep(geometry) }
    }

    package func endStep() { for block in blocks { block.endStep() } }

    package func context(
        plan: SlicePlan, tokens: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, lossScale: Float,
        dropout: DropoutStream?
    ) -> SliceContext {
        SliceContext(
            team: team, plan: plan, workspace: workspace.base, tokens: tokens, targets: targets, lossScale: lossScale,
            dropout: dropout)
    }

    /// Forward of the slice whose input lies in the slot; `output` [T, D] receives the last block's (unused after an output layer).
    package func forward(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, entry: UnsafePointer<Float>,
        exit: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
    ) {
        for (i, block) in blocks.enumerated() {
            block.forward(
                context, x: input(slot, of: i), y: i + 1 < blocks.count ? input(slot, of: i + 1) : output,
                entry: entry + stateOffsets[i], exit: exit + stateOffsets[i], stash: slot + stashOffsets[i])
        }
    }

    /// `gradient` [T, D] holds the output's gradient and receives the input's; `stateGradient` likewise for the state.
    package func backward(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, gradientSlot: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>, stateGradient: UnsafeMutablePointer<Float>
    ) {
        for (i, block) in blocks.enumerated().reversed() {
            block.backward(
                context, dy: gradient, dx: gradient, x: input(slot, of: i),
                stateGradient: stateGradient + stateOffsets[i], stash: slot + stashOffsets[i],
                gradientStash: gradientSlot + gradientOffsets[i])
        }
    }

    package func accumulateWeightGradients(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, gradientSlot: UnsafeMutablePointer<Float>
    ) {
        for (i, block) in blocks.enumerated().reversed() {
            block.accumulateWeightGradients(
                context, x: input(slot, of: i), stash: slot + stashOffsets[i],
                gradientStash: gradientSlot + gradientOffsets[i])
        }
    }

    package var forwardFlopsPerToken: Double { blocks.reduce(0) { $0 + $1.forwardFlopsPerToken } }

    /// The output layer, when this is the last stage.
    package var outputLayer: OutputLayer? { blocks.last as? OutputLayer }
}
