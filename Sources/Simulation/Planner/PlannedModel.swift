/// What the planner needs to know of a model and of a step on it.
public struct PlannedModel: Sendable {
    /// One block: a layer, the embedding or the output layer.
    public struct Block: Sendable, Equatable {
        public var parameters: Double
        /// Bytes of its weights in packed form, kept beside the parameters.
        public var packedBytes: Double
        /// Elements of the largest tensor: what an optimizer that is shared out by whole tensors leaves on some replica
        /// at least.
        public var largestTensor = 0.0
        /// Operations per token of a forward in products with weights; the input and the weight gradient each take as
        /// many.
        public var linearFlops: Double
        /// Operations per token of a forward without weights, such as attention; the input gradient takes twice as
        /// many.
        public var otherFlops: Double
        /// Operations that a token takes more for each token of its sequence before it; their mean is among the others.
        public var flopsPerTokenBefore = 0.0

        public init(parameters: Double, packedBytes: Double = 0, linearFlops: Double, otherFlops: Double) {
            self.parameters = parameters
            self.packedBytes = packedBytes
            self.linearFlops = linearFlops
            self.otherFlops = otherFlops
        }
    }

    /// Bytes of one block for one slice.
    public struct SliceBytes: Sendable, Equatable {
        /// Kept from forward to backward, the block's input included.
        public var stash: Double
        /// Kept from the input gradient to the weight gradient beside it.
        public var gradientStash: Double
        /// Carried state at the slice's entry.
        public var state: Double
        /// What a whole sequence keeps of its tokens.
        public var prefix: Double
        /// What streams keep from step to step of the tokens before one sequence.
        public var streamRows: Double
        /// Scratch during an action.
        public var workspace: Double

        public init(
            stash: Double, gradientStash: Double, state: Double, prefix: Double = 0, streamRows: Double = 0,
            workspace: Double
        ) {
            self.stash = stash
            self.gradientStash = gradientStash
            self.state = state
            self.prefix = prefix
            self.streamRows = streamRows
            self.workspace = workspace
        }
    }

    /// One of each part of a model, layers counting as alike.
    public struct Parts<Figures: Sendable>: Sendable {
        public var layer: Figures
        public var embedding: Figures
        public var output: Figures

        public init(layer: Figures, embedding: Figures, output: Figures) {
            self.layer = layer
            self.embedding = embedding
            self.output = output
        }
    }

    /// What a step reads.
    public struct Step: Sendable, Equatable {
        /// Tokens per sequence.
        public var sequence: Int
        /// Sequences over all replicas.
        public var batch: Int

        public init(sequence: Int, batch: Int) {
            self.sequence = sequence
            self.batch = batch
        }
    }

    /// Bytes of one token's activations.
    public struct TokenBytes: Sendable, Equatable {
        /// As they are computed on.
        public var activation: Double
        /// In a message, which may be compressed.
        public var message: Double

        public init(activation: Double, message: Double) {
            self.activation = activation
            self.message = message
        }
    }

    public var layers: Int
    /// Each replica keeps the moments of its share of the tensors only.
    public var shardsOptimizer = false
    public var blocks: Parts<Block>
    /// Tokens per chunk: slices are multiples of it.
    public var chunk: Int
    public var step: Step
    public var tokenBytes: TokenBytes
    /// Of a slice of so many tokens.
    public var bytes: @Sendable (_ slice: Int) -> Parts<SliceBytes>

    public init(
        layers: Int, blocks: Parts<Block>, chunk: Int, step: Step, tokenBytes: TokenBytes,
        bytes: @escaping @Sendable (_ slice: Int) -> Parts<SliceBytes>
    ) {
        self.layers = layers
        self.blocks = blocks
        self.chunk = chunk
        self.step = step
        self.tokenBytes = tokenBytes
        self.bytes = bytes
    }

    /// Operations of training on one token, recomputation not counted.
    public var trainingFlopsPerToken: Double {
        let (layer, embedding, output) = (blocks.layer, blocks.embedding, blocks.output)
        let layers = Double(layers) * (layer.linearFlops + layer.otherFlops)
        return 3 * (layers + embedding.linearFlops + output.linearFlops + embedding.otherFlops + output.otherFlops)
    }

    public var parameters: Double {
        Double(layers) * blocks.layer.parameters + blocks.embedding.parameters + blocks.output.parameters
    }

    /// Slice lengths worth trying: the chunk doubled again and again, and the whole sequence.
    public var sliceLengths: [Int] {
        var lengths: [Int] = []
        var length = chunk
        while length <= step.sequence {
            if step.sequence % length == 0 { lengths.append(length) }
            length *= 2
        }
        if step.sequence % chunk == 0, lengths.last != step.sequence { lengths.append(step.sequence) }
        return lengths
    }
}
