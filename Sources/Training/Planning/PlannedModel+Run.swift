import Model
import Pipeline
import Simulation

extension PlannedModel {
    /// The planner's view of the model and the step that `configuration` describes: parameters, arithmetic and memory
    /// as the blocks' descriptions give them, layers of several kinds as their mean.
    package init(_ configuration: RunConfiguration) {
        let model = configuration.resolvedModel
        let (layers, embedding, output) = (model.layerKinds, model.describe(.embedding), model.describe(.output))
        let wire: WireFormat = configuration.pipeline.compressMessages ? .bfloat16 : .float32
        func figures(_ block: BlockDescription) -> Block {
            Block(
                block, shape: SliceShape(length: model.sliceMultiple, matrices: configuration.matrixEngine),
                sequence: configuration.data.sequence, before: configuration.data.streamContext)
        }
        let input = 4 * Double(model.dim)
        self.init(
            layers: model.layers,
            blocks: .init(
                layer: Block(meanOf: layers.map(figures)), embedding: figures(embedding), output: figures(output)),
            chunk: model.sliceMultiple,
            step: .init(sequence: configuration.data.sequence, batch: configuration.training.batch),
            tokenBytes: .init(activation: input, message: Double(wire.bytes(of: model.dim)))
        ) { slice in
            func bytes(_ block: BlockDescription) -> SliceBytes {
                let sizes = block.sizes(for: SliceShape(length: slice, matrices: configuration.matrixEngine))
                return SliceBytes(
                    stash: 4 * Double(sizes.stash) + input * Double(slice),
                    gradientStash: 4 * Double(sizes.gradientStash), state: 4 * Double(sizes.state),
                    prefix: 4 * Double(sizes.prefix)
                        * (Double(configuration.data.sequence) + Double(configuration.data.streamContext)),
                    streamRows: 8 * Double(sizes.prefix) * Double(configuration.data.streamContext),
                    workspace: 4 * Double(sizes.workspace))
            }
            return .init(
                layer: SliceBytes(meanOf: layers.map(bytes)), embedding: bytes(embedding), output: bytes(output))
        }
        shardsOptimizer = configuration.pipeline.shardOptimizer
    }
}

extension PlannedModel.Block {
    fileprivate init(_ block: BlockDescription, shape: SliceShape, sequence: Int, before: Int) {
        // Each element of a linear map's matrix costs a multiplication and an addition a token, whether or not it is a
        // tied copy.
        let matrices = block.parameters.filter(\.decays).reduce(0) { $0 + Double($1.count) }
        let all = block.meanForwardFlops(sequence: sequence, before: before)
        let linear = min(all, 2 * matrices)
        self.init(
            parameters: block.parameters.filter { $0.copyOf == nil }.reduce(0) { $0 + Double($1.count) },
            packedBytes: 4 * Double(block.sizes(for: shape).packed), linearFlops: linear,
            otherFlops: all - linear)
        flopsPerTokenBefore = block.flopsPerTokenBefore
        largestTensor = block.parameters.map { Double($0.count) }.max() ?? 0
    }

    fileprivate init(meanOf blocks: [Self]) {
        func mean(_ figure: (Self) -> Double) -> Double { blocks.reduce(0) { $0 + figure($1) } / Double(blocks.count) }
        self.init(
            parameters: mean(\.parameters), packedBytes: mean(\.packedBytes), linearFlops: mean(\.linearFlops),
            otherFlops: mean(\.otherFlops))
        largestTensor = blocks.map(\.largestTensor).max() ?? 0
        flopsPerTokenBefore = mean(\.flopsPerTokenBefore)
    }
}

extension PlannedModel.SliceBytes {
    fileprivate init(meanOf blocks: [Self]) {
        func mean(_ bytes: (Self) -> Double) -> Double { blocks.reduce(0) { $0 + bytes($1) } / Double(blocks.count) }
        self.init(
            stash: mean(\.stash), gradientStash: mean(\.gradientStash), state: mean(\.state),
            prefix: mean(\.prefix), streamRows: mean(\.streamRows), workspace: blocks.map(\.workspace).max() ?? 0)
    }
}
