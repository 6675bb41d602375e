import Hardware
import Kernels
import Numerics

/// A run of consecutive blocks on one rank, with their parameters: what a pipeline stage computes.
///
/// Slices in flight live in memory that the caller lays out: a *slot* holds the inputs of all blocks and their stashes,
/// a *gradient slot* the upstream gradients of the linear maps, a *state* the carried state of all blocks. Confined to
/// one thread.
package final class Stage {
    package let blocks: [any Block]
    package let store: ParameterStore
    /// What is to be known of the blocks.
    package let descriptions: [BlockDescription]
    package let shape: SliceShape
    package let dim: Int
    private let matrices: any MatrixProducts
    private let workspace: FloatBuffer
    private let layout: StageLayout
    private let splitsWeightGradients: Bool

    /// Floats of a slot, a gradient slot and a state.
    package var slotCount: Int { layout.slotCount }
    package var gradientSlotCount: Int { layout.gradientSlotCount }
    package var stateCount: Int { layout.stateCount }
    /// Floats that a token of a sequence takes in a `Prefix`.
    package var prefixWidth: Int { layout.prefixWidth }

    /// The rows of all blocks for a sequence of up to `tokens` tokens, in memory of the caller's: `prefixWidth` floats
    /// a token in each buffer.
    package struct Prefix {
        package let values: UnsafeMutablePointer<Float>
        package let gradients: UnsafeMutablePointer<Float>?
        package let tokens: Int
        /// The row of the slice's first token.
        package let first: Int

        package init(
            values: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>? = nil, tokens: Int, first: Int
        ) {
            self.values = values
            self.gradients = gradients
            self.tokens = tokens
            self.first = first
        }
    }

    /// The context as block `i` sees it.
    private func context(_ context: SliceContext, _ prefix: Prefix?, of i: Int) -> SliceContext {
        guard prefixWidth(of: i) > 0 else { return context }
        guard let prefix, prefix.first + context.length <= prefix.tokens else {
            preconditionFailure("\(blocks[i].name) needs rows for the tokens of the whole sequence")
        }
        let offset = layout.prefixOffsets[i] * prefix.tokens
        var own = context
        own.prefix = PrefixRows(
            values: prefix.values + offset, gradients: prefix.gradients.map { $0 + offset }, first: prefix.first)
        return own
    }

    /// Where a stage's parameters are.
    package enum Parameters {
        /// In memory of its own. `keepsMoments` says by tensor whether its moments are kept here; nil: all are.
        case own(keepsMoments: [Bool]? = nil)
        /// Those of a stage with the same blocks, for another memory layout.
        case shared(ParameterStore)
    }

    /// - Parameters:
    ///   - parts: of the model, consecutive
    ///   - splitsWeightGradients: whether `backward` is called without `accumulates`, too
    package init(
        of model: any Architecture, _ parts: [ModelPart], shape: SliceShape, matrices: any MatrixProducts,
        splitsWeightGradients: Bool = true, parameters: Parameters = .own()
    ) {
        self.splitsWeightGradients = splitsWeightGradients
        descriptions = parts.map(model.describe)
        blocks = model.makeBlocks(parts)
        precondition(blocks.count == parts.count, "\(type(of: model).name) makes a block for each part")
        output = blocks.last as? any OutputBlock
        self.shape = shape
        dim = model.dim
        self.matrices = matrices
        store =
            switch parameters {
            case .own(let keepsMoments):
                ParameterStore(descriptions.flatMap(\.parameters), keepsMoments: keepsMoments)
            case .shared(let store): store
            }
        layout = StageLayout(descriptions, dim: dim, shape: shape, splitsWeightGradients: splitsWeightGradients)
        workspace = FloatBuffer(layout.workspaceCount)
        for block in blocks { block.bind(store) }
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

    /// Floats of a token's rows before those of block `i`.
    package func prefixOffset(of i: Int) -> Int { layout.prefixOffsets[i] }
    /// Floats of a token's row of block `i`.
    package func prefixWidth(of i: Int) -> Int {
        (i + 1 < blocks.count ? layout.prefixOffsets[i + 1] : layout.prefixWidth) - layout.prefixOffsets[i]
    }

    /// The rows of all blocks for `rows` tokens in a buffer for `tokens`, under the blocks' names: what files hold of
    /// the tokens before a stream's next one.
    package func prefixTensors(rows: Int, tokens: Int) -> [StateTensor] {
        blocks.indices.filter { rows > 0 && prefixWidth(of: $0) > 0 }.map {
            StateTensor("\(blocks[$0].name).rows", [rows, prefixWidth(of: $0)], offset: prefixOffset(of: $0) * tokens)
        }
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>) {
        for (i, block) in blocks.enumerated() { block.initialState(state + layout.stateOffsets[i], shape) }
    }

    /// The parts of a carried state of all blocks; offsets count from the beginning of the whole state.
    package var stateTensors: [StateTensor] {
        descriptions.enumerated().flatMap { i, block in
            block.carried(shape).map {
                StateTensor($0.name, $0.shape, offset: layout.stateOffsets[i] + $0.offset)
            }
        }
    }

    /// Call before a step's forwards; `trains` false leaves the gradients alone.
    package func beginStep(trains: Bool = true) {
        if trains { matrices.team.alone(as: .optimizer) { store.gradients.clear() } }
        for block in blocks { matrices.team.alone(as: block.preparation) { block.beginStep(shape) } }
    }

    /// Call when all blocks have their last weight gradients.
    package func endStep() { for i in blocks.indices { endStep(block: i) } }

    /// The same for one block, whose gradients are final then, whatever the others still do.
    package func endStep(block i: Int) { matrices.team.alone(as: blocks[i].preparation) { blocks[i].endStep() } }

    package func context(
        slice: any SharedSlice, tokens: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, lossScale: Float,
        dropout: DropoutStream?
    ) -> SliceContext {
        var context = SliceContext(matrices: matrices, slice: slice, workspace: workspace.base, dropout: dropout)
        context.tokens = tokens
        context.targets = targets
        context.lossScale = lossScale
        return context
    }

    /// Forward of the slice whose input lies in the slot; `output` [T, D] receives the last block's (unused after an
    /// output layer).
    package func forward(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, entry: UnsafePointer<Float>,
        exit: UnsafeMutablePointer<Float>, prefix: Prefix? = nil, output: UnsafeMutablePointer<Float>
    ) {
        for (i, block) in blocks.enumerated() {
            block.forward(
                self.context(context, prefix, of: i), x: input(slot, of: i),
                y: i + 1 < blocks.count ? input(slot, of: i + 1) : output,
                entry: entry + layout.stateOffsets[i], exit: exit + layout.stateOffsets[i],
                stash: slot + layout.stashOffsets[i])
        }
    }

    /// Memory of a slice on its way back.
    package struct Backward {
        /// As the forward left it.
        package let slot: UnsafeMutablePointer<Float>
        package let gradientSlot: UnsafeMutablePointer<Float>
        /// [T, D]: holds the output's gradient and receives the input's.
        package let gradient: UnsafeMutablePointer<Float>
        /// Holds the gradient of the state handed on and receives that of the state taken in.
        package let stateGradient: UnsafeMutablePointer<Float>
        package let prefix: Prefix?

        package init(
            slot: UnsafeMutablePointer<Float>, gradientSlot: UnsafeMutablePointer<Float>,
            gradient: UnsafeMutablePointer<Float>, stateGradient: UnsafeMutablePointer<Float>, prefix: Prefix? = nil
        ) {
            self.slot = slot
            self.gradientSlot = gradientSlot
            self.gradient = gradient
            self.stateGradient = stateGradient
            self.prefix = prefix
        }
    }

    /// All blocks, the last one first.
    ///
    /// - Parameter accumulates: each block adds its weights' gradients at once, while what they are made of is in the
    ///   cache
    package func backward(_ context: SliceContext, _ memory: Backward, accumulates: Bool = false) {
        for i in blocks.indices.reversed() { backward(block: i, context, memory, accumulates: accumulates) }
    }

    /// The same of one block, those behind it being done.
    package func backward(block i: Int, _ context: SliceContext, _ memory: Backward, accumulates: Bool) {
        precondition(accumulates || splitsWeightGradients, "this stage has no room for weight gradients of their own")
        let own = self.memory(memory.slot, memory.gradientSlot, of: i)
        blocks[i].backward(
            self.context(context, memory.prefix, of: i), own, dy: memory.gradient, dx: memory.gradient,
            stateGradient: memory.stateGradient + layout.stateOffsets[i])
        if accumulates { blocks[i].accumulateWeightGradients(context, own, followsBackward: true) }
    }

    /// The weight gradients of all blocks, after their backward.
    package func accumulateWeightGradients(
        _ context: SliceContext, slot: UnsafeMutablePointer<Float>, gradientSlot: UnsafeMutablePointer<Float>
    ) {
        for i in blocks.indices.reversed() {
            accumulateWeightGradients(block: i, context, slot: slot, gradientSlot: gradientSlot)
        }
    }

    /// The same of one block.
    package func accumulateWeightGradients(
        block i: Int, _ context: SliceContext, slot: UnsafeMutablePointer<Float>,
        gradientSlot: UnsafeMutablePointer<Float>
    ) {
        blocks[i].accumulateWeightGradients(context, memory(slot, gradientSlot, of: i), followsBackward: false)
    }

    private func memory(
        _ slot: UnsafeMutablePointer<Float>, _ gradientSlot: UnsafeMutablePointer<Float>, of i: Int
    ) -> SliceMemory {
        SliceMemory(
            x: input(slot, of: i), stash: stash(slot, of: i), gradientStash: gradientSlot + layout.gradientOffsets[i])
    }

    /// The output layer, when this is the last stage.
    package let output: (any OutputBlock)?
}
