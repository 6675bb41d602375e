import Kernels
import Model
import Pipeline
import Simulation

extension PlannedModel {
    /// The planner's view of the model and the step that `configuration` describes: parameters, arithmetic and memory as the
    /// blocks themselves give them.
    package init(_ configuration: RunConfiguration) {
        let model = configuration.model
        var gecko = GeckoConfiguration()
        gecko.layers = model.layers
        gecko.dim = model.dim
        gecko.zDim = model.zDim
        gecko.valueDim = model.valueDim
        gecko.ffnDim = model.ffnDim
        gecko.heads = model.heads
        gecko.ropeHeads = model.ropeHeads < 0 ? model.heads : model.ropeHeads
        gecko.emaDim = model.emaDim
        gecko.chunk = model.chunk
        gecko.normGroups = model.resolvedNormGroups
        gecko.lnGroups = model.lnGroups
        gecko.vocabulary = model.vocabulary > 0 ? model.vocabulary : configuration.data.packed ? 257 : 256
        gecko.swiglu = model.swiglu
        gecko.twoHopResidual = model.twoHopResidual
        gecko.rescaleNFFN = model.rescaleNFFN
        gecko.tieEmbeddings = model.tieEmbeddings
        gecko.precision = model.precision
        gecko.matrices = configuration.machine.matrices.engine ?? .automatic
        let shape = gecko
        let (layer, embedding, output) = (GeckoLayer(shape, layer: 0), Embedding(shape), OutputLayer(shape))
        let geometry = { @Sendable (slice: Int) in
            SliceGeometry(length: slice, chunk: shape.chunk, aligned: true, tile: KernelTable.emaTile, workers: 1)
        }
        let wire: WireFormat = configuration.pipeline.compressMessages ? .bfloat16 : .float32
        func figures(_ block: any Model.Block) -> Block {
            // Each element of a linear map's matrix costs a multiplication and an addition a token. A tied output layer's is a copy.
            let matrices = block.parameters.filter { $0.copyOf == nil || block is OutputLayer }
            let linear = min(
                block.forwardFlopsPerToken,
                2 * matrices.filter(\.decays).reduce(0) { $0 + Double($1.count) })
            let own = block.parameters.filter { $0.copyOf == nil }.reduce(0) { $0 + Double($1.count) }
            var figures = Block(
                parameters: own, packedBytes: 4 * Double(block.sizes(for: geometry(shape.chunk)).packed),
                linearFlops: linear,
                otherFlops: block.forwardFlopsPerToken - linear)
            figures.largestTensor = block.parameters.map { Double($0.count) }.max() ?? 0
            return figures
        }
        let input = 4 * Double(model.dim)
        self.init(
            layers: model.layers, layer: figures(layer), embedding: figures(embedding), output: figures(output),
            chunk: model.chunk, sequence: configuration.data.sequence, batch: configuration.training.batch,
            activationBytesPerToken: input,
            messageBytesPerToken: Double(wire.bytes(of: model.dim))
        ) { slice in
            let geometry = geometry(slice)
            func bytes(_ block: any Model.Block) -> SliceBytes {
                let sizes = block.sizes(for: geometry)
                return SliceBytes(
                    stash: 4 * Double(sizes.stash) + input * Double(slice),
                    gradientStash: 4 * Double(sizes.gradientStash),
                    state: 4 * Double(sizes.state), workspace: 4 * Double(sizes.workspace))
            }
            return (
                bytes(GeckoLayer(shape, layer: 0)), bytes(Embedding(shape)), bytes(OutputLayer(shape))
            )
        }
        shardsOptimizer = configuration.pipeline.shardOptimizer
    }
}
