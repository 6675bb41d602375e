/// The loss and the optimizer.
public struct TrainingKernels: Sendable {
    /// Losses, and the gradient of the logits in place.
    public let crossEntropy: @Sendable (CrossEntropyArguments) -> Void
    /// One step of AdamW.
    public let adamW: @Sendable (AdamWArguments) -> Void
    /// The sum of squares in double, in one fixed order: (x, count). Not finite when any element isn't.
    public let sumOfSquares: @Sendable (UnsafePointer<Float>, Int) -> Double

    public init(
        crossEntropy: @escaping @Sendable (CrossEntropyArguments) -> Void,
        adamW: @escaping @Sendable (AdamWArguments) -> Void,
        sumOfSquares: @escaping @Sendable (UnsafePointer<Float>, Int) -> Double
    ) {
        self.crossEntropy = crossEntropy
        self.adamW = adamW
        self.sumOfSquares = sumOfSquares
    }
}

/// losses = logsumexp - logit of the target, in nats; the logits become (softmax - onehot) scale in place, unless
/// `scale` is 0.
public struct CrossEntropyArguments {
    /// [rows, columns], without gaps; changed.
    public var logits: UnsafeMutablePointer<Float>
    /// [rows]; a negative one is ignored: loss and gradient 0.
    public var targets: UnsafePointer<Int32>
    /// [rows]; written. NaN when any logit of the row isn't finite.
    public var losses: UnsafeMutablePointer<Double>
    public var scale: Float
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral logits: UnsafeMutablePointer<Float>, @_nonEphemeral targets: UnsafePointer<Int32>,
        @_nonEphemeral losses: UnsafeMutablePointer<Double>, scale: Float, extent: Extent
    ) {
        self.logits = logits
        self.targets = targets
        self.losses = losses
        self.scale = scale
        self.extent = extent
    }
}

/// One step of AdamW: p = p (1 - decay) - rate m^ / (sqrt(v^) + eps).
public struct AdamWArguments {
    /// p [count]; changed.
    public var values: UnsafeMutablePointer<Float>
    /// m [count], the first moments; changed.
    public var first: UnsafeMutablePointer<Float>
    /// v [count], the second moments; changed.
    public var second: UnsafeMutablePointer<Float>
    /// [count].
    public var gradient: UnsafePointer<Float>
    public var count: Int
    public var step: AdamWStep

    @inlinable public init(
        @_nonEphemeral values: UnsafeMutablePointer<Float>, @_nonEphemeral first: UnsafeMutablePointer<Float>,
        @_nonEphemeral second: UnsafeMutablePointer<Float>, @_nonEphemeral gradient: UnsafePointer<Float>, count: Int,
        step: AdamWStep
    ) {
        assert(count >= 0)
        self.values = values
        self.first = first
        self.second = second
        self.gradient = gradient
        self.count = count
        self.step = step
    }
}

/// How a moment is smoothed over steps.
public struct AdamWMoment {
    public var beta: Float
    /// 1 / (1 - beta^t): what makes up for the zeros that it began with.
    public var correction: Float

    @inlinable public init(beta: Float, correction: Float) {
        self.beta = beta
        self.correction = correction
    }
}

/// The numbers of a step that all parameters share.
public struct AdamWStep {
    /// Multiplies the gradient first.
    public var clip: Float
    /// Of m.
    public var first: AdamWMoment
    /// Of v.
    public var second: AdamWMoment
    public var rate: Float
    /// Rate times weight decay.
    public var decay: Float
    public var eps: Float

    @inlinable public init(
        clip: Float, first: AdamWMoment, second: AdamWMoment, rate: Float, decay: Float, eps: Float
    ) {
        self.clip = clip
        self.first = first
        self.second = second
        self.rate = rate
        self.decay = decay
        self.eps = eps
    }
}
