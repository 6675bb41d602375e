/// The vector kernels of one CPU level, by family. A family is declared in a file beside this one; its kernels, their
/// equations and what fills it are in the file of the same name in `Sources/KernelsBaseline`.
///
/// A kernel with more than a few arguments takes them as one value, whose fields say what they are; debug builds check
/// what can be checked. Pointers in it must outlive the call: an array is handed over within `withUnsafeBufferPointer`,
/// never by its name (the compiler warns, because of `@_nonEphemeral`).
public struct KernelTable: Sendable {
    /// Longest tile of the complex EMA in tokens, and the scratch floats one worker needs for it.
    public static let emaTile = 64
    public static let emaScratch = 6 * 1024

    /// The level that the code was compiled for: 5 (x86-64-v4 with AVX512-BF16), 4, 3 or 0 (baseline).
    public let level: Int

    public let tile: MatrixTile
    /// Products of bfloat16; nil where the CPU has no instruction for them.
    public let bfloat16Tile: MatrixTile?

    public let tokens: TokenKernels
    public let sequences: SequenceKernels
    public let training: TrainingKernels
    /// Runs (rounds) x 24 independent vector multiply-adds of 16 lanes on (x); the result depends on all of them.
    public let multiplyAddPeak: @Sendable (Int, Float) -> Float

    // The tiles aren't one value: copying it would take a weak function in each level's objects (KernelObjectTests).
    public init(
        level: Int, tile: MatrixTile, bfloat16Tile: MatrixTile?, tokens: TokenKernels, sequences: SequenceKernels,
        training: TrainingKernels, multiplyAddPeak: @escaping @Sendable (Int, Float) -> Float
    ) {
        self.level = level
        self.tile = tile
        self.bfloat16Tile = bfloat16Tile
        self.tokens = tokens
        self.sequences = sequences
        self.training = training
        self.multiplyAddPeak = multiplyAddPeak
    }
}

/// The families that work on each token by itself.
public struct TokenKernels: Sendable {
    public let elementwise: ElementwiseKernels
    public let gating: GatingKernels
    public let featureNorms: FeatureNormKernels
    public let queries: QueryKernels
    public let random: RandomKernels

    public init(
        elementwise: ElementwiseKernels, gating: GatingKernels, featureNorms: FeatureNormKernels,
        queries: QueryKernels, random: RandomKernels
    ) {
        self.elementwise = elementwise
        self.gating = gating
        self.featureNorms = featureNorms
        self.queries = queries
        self.random = random
    }
}

/// The moving averages.
public struct AverageKernels: Sendable {
    public let complex: ComplexEMAKernels
    public let damped: DampedEMAKernels

    public init(complex: ComplexEMAKernels, damped: DampedEMAKernels) {
        self.complex = complex
        self.damped = damped
    }
}

/// The families that bring the tokens of a sequence together.
public struct SequenceKernels: Sendable {
    public let timestepNorms: TimestepNormKernels
    public let ema: ComplexEMAKernels
    public let dampedEMA: DampedEMAKernels
    public let softmax: SoftmaxKernels
    public let attention: AttentionKernels
    public let biasedAttention: BiasedAttentionKernels
    public let memory: WorkingMemoryKernels

    public init(
        timestepNorms: TimestepNormKernels, averages: AverageKernels, softmax: SoftmaxKernels,
        attention: AttentionKernels, biasedAttention: BiasedAttentionKernels, memory: WorkingMemoryKernels
    ) {
        self.timestepNorms = timestepNorms
        ema = averages.complex
        dampedEMA = averages.damped
        self.softmax = softmax
        self.attention = attention
        self.biasedAttention = biasedAttention
        self.memory = memory
    }
}
