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
    private let matrices: any MatrixProducts
    private let workspace: FloatBuffer
    private let layout: StageLayout
    private let splitsWeightGradients: Bool

    /// Floats of a slot, a gradient slot and a state.
    package var slotCount: Int { layout.slotCount }
    package var gradientSlotCount: Int { layout.gradientSlotCount }
    package var stateCount: Int { layout.stateCount }

    /// - Parameters:
    ///   - splitsWeightGradients: whether `backward` is called without `accumulates`, too
    ///   - sharing: the parameters of a stage with the same blocks, for another memory layout
    ///   - keepsMoments: by tensor, whether its moments are kept here; nil: all are
    package init(
        blocks: [any Block], dim: Int, geometry: SliceGeometry, matrices: any MatrixProducts,
        splitsWeightGradients: Bool = true, sharing: ParameterStore? = nil, keepsMoments: [Bool]? = nil
    ) {
        self.splitsWeightGradients = splitsWeightGradients
        self.blocks = blocks
        self.geometry = geometry
        self.dim = dim
        self.matrices = matrices
        store = sharing ?? ParameterStore(blocks.flatMap(\.parameters), keepsMoments: keepsMoments)
        for block in blocks { block.bind(store) }
        layout = StageLayout(
            blocks: blocks, dim: dim, geometry: geometry, splitsWeightGradients: splitsWeightGradients)
        workspace = FloatBuffer(layout.workspaceCount)
    }

    /// Input [T, D] of block `i` in a slot; block 0's is where the caller puts what arrives.
    package func input(_ slot: UnsafeMutablePointer<Float>, of i: Int = 0) -> UnsafeMutablePointer<Float> {
        slot + i * layout.inputStride
    }

    package func stash(_ slot: UnsafeMutablePointer<Float>, of i: Int) -> UnsafeMutablePointer<Float> {
        slot + layout.stashOffsets[i]
    }

    package func state(_ state: UnsafeMutablePointer<Float>, of i: Int) -> UnsafeMutablePointer<Float> {
        state + layout.stateOffsets[i]
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>) {
        for (i, block) in blocks.enumerated() { block.initialState(state + layout.stateOffsets[i], geometry) }
    }

    /// The parts of a carried state of all blocks; offsets count from the beginning of the whole state.
    package var stateTensors: [StateTensor] {
        blocks.enumerated().flatMap { i, block in
            block.stateTensors(geometry).map {
                StateTensor($0.name, $0.shape, offset: layout.stateOffsets[i] + $0.offset)
            }
        }
    }

    /// Call before a step's forwards; `trains` false leaves the gradients alone.
    package func beginStep(trains: Bool = true) {
        if trains { matrices.team.alone(as: .optimizer) { store.gradients.clear() } }
        matrices.team.alone(as: .ema) { for block in blocks { block.beginStep(geometry) } }
    }

    /// Call when all blocks have their last weight gradients.
    package func endStep() { for i in blocks.indices { endStep(block: i) } }

    /// The same for one block, whose gradients are final then, whatever the others still do.
    package func endStep(block i: Int) { matrices.team.alone(as: .ema) { blocks[i].endStep() } }

    package func context(
        plan: SlicePlan, tokens: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, lossScale: Float,
        dropout: DropoutStream?
    ) -> SliceContext {
        SliceContext(
            matrices: matrices, plan: plan, workspace: workspace.base, tokens: tokens, targets: targets,
            lossScale: lossScale,
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
                entry: entry + layout.stateOffsets[i], exit: exit + layout.stateOffsets[i],
                stash: slot + layout.stashOffsets[i])
        }
    }

    /// `gradient` [T, D] holds the output's gradient and receives the input's; `stateGradient` likewise for the state. With `accumulates`
    /// each block adds its weights' gradients at once, while what they are made of is in the cache. `added` hears of each block that has
    /// added all its gradients of the slice, the last block first.
    package func backward(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, gradientSlot: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>, stateGradient: UnsafeMutablePointer<Float>, accumulates: Bool = false,
        added: (_ block: Int) -> Void = { _ in }
    ) {
        precondition(accumulates || splitsWeightGradients, "this stage has no room for weight gradients of their own")
        for (i, block) in blocks.enumerated().reversed() {
            block.backward(
                context, dy: gradient, dx: gradient, x: input(slot, of: i),
                stateGradient: stateGradient + layout.stateOffsets[i], stash: slot + layout.stashOffsets[i],
                gradientStash: gradientSlot + layout.gradientOffsets[i])
            guard accumulates else { continue }
            accumulateWeightGradients(
                context, block: i, slot: slot, gradientSlot: gradientSlot, followsBackward: true)
            added(i)
        }
    }

    /// `added` is as for `backward`.
    package func accumulateWeightGradients(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, gradientSlot: UnsafeMutablePointer<Float>,
        added: (_ block: Int) -> Void = { _ in }
    ) {
        for i in blocks.indices.reversed() {
            accumulateWeightGradients(
                context, block: i, slot: slot, gradientSlot: gradientSlot, followsBackward: false)
            added(i)
        }
    }

    private func accumulateWeightGradients(
        _ context: SliceContext, block i: Int, slot: UnsafeMutablePointer<Float>,
        gradientSlot: UnsafeMutablePointer<Float>, followsBackward: Bool
    ) {
        blocks[i].accumulateWeightGradients(
            context, x: input(slot, of: i), stash: slot + layout.stashOffsets[i],
            gradientStash: gradientSlot + layout.gradientOffsets[i], followsBackward: followsBackward)
    }

    package var forwardFlopsPerToken: Double { blocks.reduce(0) { $0 + $1.forwardFlopsPerToken } }

    /// The output layer, when this is the last stage.
    package var outputLayer: OutputLayer? { blocks.last as? OutputLayer }
}
