/// What is to be known of a part of a model before it computes: a value, made without the part.
package struct BlockDescription: Sendable {
    /// `layers.3`
    package let name: String
    package let parameters: [ParameterSpec]
    /// Matrix flops of a forward (multiply and add counted apart, masked tiles not counted): what utilisation counts.
    package struct ForwardFlops: Sendable {
        /// Of the first token of a sequence.
        package let perToken: Double
        /// What a token takes more for each token of its sequence before it; 0: all tokens take the same.
        package let perTokenBefore: Double

        package init(perToken: Double, perTokenBefore: Double = 0) {
            self.perToken = perToken
            self.perTokenBefore = perTokenBefore
        }
    }

    private let flops: ForwardFlops
    package var forwardFlopsPerToken: Double { flops.perToken }
    package var flopsPerTokenBefore: Double { flops.perTokenBefore }
    private let sizeRule: @Sendable (SliceShape) -> BlockSizes
    private let carriedRule: @Sendable (SliceShape) -> [StateTensor]
    private let workRule: @Sendable (_ tokens: SequenceShape, _ operand: Double) -> WorkCounts

    /// - Parameters:
    ///   - sizes: the memory that it asks for
    ///   - carried: the parts of its carried state, under names of the model's
    ///   - work: as `work(_:operand:)` gives it
    package init(
        name: String, parameters: [ParameterSpec], flops: ForwardFlops,
        sizes: @escaping @Sendable (SliceShape) -> BlockSizes,
        carried: @escaping @Sendable (SliceShape) -> [StateTensor] = { _ in [] },
        work: @escaping @Sendable (_ tokens: SequenceShape, _ operand: Double) -> WorkCounts
    ) {
        self.name = name
        self.parameters = parameters
        self.flops = flops
        sizeRule = sizes
        carriedRule = carried
        workRule = work
    }

    /// The mean of all tokens of a sequence.
    ///
    /// - Parameter before: tokens before the sequence that are kept, too
    package func meanForwardFlops(sequence: Int, before: Int = 0) -> Double {
        forwardFlopsPerToken + flopsPerTokenBefore * (Double(max(0, sequence - 1)) / 2 + Double(before))
    }

    /// Memory, in floats, for slices of this shape.
    package func sizes(for shape: SliceShape) -> BlockSizes { sizeRule(shape) }

    /// What the carried state consists of, under names of the model's: what files hold of a stream.
    package func carried(_ shape: SliceShape) -> [StateTensor] { carriedRule(shape) }

    /// Forward, backward and weight gradients of one token, on average over a sequence.
    ///
    /// - Parameter operand: bytes of a number that a matrix product reads: 4, or 2 in bf16
    package func work(_ tokens: SequenceShape, operand: Double) -> WorkCounts { workRule(tokens, operand) }
}

/// Tokens of a slice, and of the sequence that is cut into such slices.
package struct SequenceShape: Sendable {
    package let slice: Int
    package let sequence: Int
    /// Tokens before the sequence that are kept, too.
    package let before: Int

    package init(slice: Int, sequence: Int, before: Int = 0) {
        self.slice = slice
        self.sequence = sequence
        self.before = before
    }
}

/// A part of a block's carried state of fixed size: copied from slice to slice. A *recurrent* part sums up all that has
/// been, a *window* holds a bounded tail of it. What holds every token of the sequence is a prefix
/// (`BlockSizes.prefix`).
package struct StateTensor: Sendable, Equatable {
    /// `layers.3.ema`: the block's name and the part's.
    package let name: String
    package let shape: [Int]
    /// Floats from the beginning of the block's state.
    package let offset: Int

    package init(_ name: String, _ shape: [Int], offset: Int) {
        self.name = name
        self.shape = shape
        self.offset = offset
    }

    package var count: Int { shape.reduce(1, *) }
}

/// Memory that a block asks for, in floats.
package struct BlockSizes: Sendable, Equatable {
    /// Carried state of one stream, of fixed size.
    package var state = 0
    /// Kept of each token of a sequence, from its slice's first forward to the sequence's last backward: rows are
    /// appended, never copied.
    package var prefix = 0
    /// Kept from forward to backward for one slice.
    package var stash = 0
    /// Kept from backward to weight gradients for one slice.
    package var gradientStash = 0
    /// Scratch during one call.
    package var workspace = 0
    /// Kept for good beside the parameters: weights in packed form.
    package var packed = 0

    package init(
        state: Int = 0, prefix: Int = 0, stash: Int = 0, gradientStash: Int = 0, workspace: Int = 0, packed: Int = 0
    ) {
        self.state = state
        self.prefix = prefix
        self.stash = stash
        self.gradientStash = gradientStash
        self.workspace = workspace
        self.packed = packed
    }
}
