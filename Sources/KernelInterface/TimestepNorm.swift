/// The timestep decay norm, and the cumulative norm (`CumulativeNorm.swift`).
public struct TimestepNormKernels: Sendable {
    /// y and what the backward needs; moves the state on over all tokens.
    public let timestepNorm: @Sendable (TimestepNormArguments) -> Void
    /// y again, to the same bits.
    public let timestepNormRecompute: @Sendable (TimestepNormAgainArguments) -> Void
    /// dx, and the gradients of weight, bias and state.
    public let timestepNormBackward: @Sendable (TimestepNormBackwardArguments) -> Void
    /// y and what the backward needs; moves the moments on over all tokens. `timestepNormRecompute` gives y again.
    public let cumulativeNorm: @Sendable (CumulativeNormArguments) -> Void
    /// dx, and the gradients of weight, bias and moments.
    public let cumulativeNormBackward: @Sendable (CumulativeNormBackwardArguments) -> Void

    public init(
        timestepNorm: @escaping @Sendable (TimestepNormArguments) -> Void,
        timestepNormRecompute: @escaping @Sendable (TimestepNormAgainArguments) -> Void,
        timestepNormBackward: @escaping @Sendable (TimestepNormBackwardArguments) -> Void,
        cumulativeNorm: @escaping @Sendable (CumulativeNormArguments) -> Void,
        cumulativeNormBackward: @escaping @Sendable (CumulativeNormBackwardArguments) -> Void
    ) {
        self.timestepNorm = timestepNorm
        self.timestepNormRecompute = timestepNormRecompute
        self.timestepNormBackward = timestepNormBackward
        self.cumulativeNorm = cumulativeNorm
        self.cumulativeNormBackward = cumulativeNormBackward
    }
}

/// The running averages, or their gradients: changed in place.
public struct TimestepNormState {
    /// [groups].
    public var mean: UnsafeMutablePointer<Float>
    /// [groups].
    public var variance: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral mean: UnsafeMutablePointer<Float>, @_nonEphemeral variance: UnsafeMutablePointer<Float>
    ) {
        self.mean = mean
        self.variance = variance
    }
}

/// How the averages decay, where they begin anew, and what is added to the variance.
public struct TimestepDecay {
    /// Of the mean.
    public var beta1: Double
    /// Of the variance.
    public var beta2: Double
    /// Added to the corrected variance.
    public var eps: Double
    /// [rows]: 1 / (1 - beta1^count).
    public var meanCorrections: UnsafePointer<Float>
    /// [rows]: 1 / (1 - beta2^count).
    public var varianceCorrections: UnsafePointer<Float>
    /// [rows]: not 0 where a token is a bos.
    public var resets: UnsafePointer<UInt8>

    @inlinable public init(
        beta1: Double, beta2: Double, eps: Double, @_nonEphemeral meanCorrections: UnsafePointer<Float>,
        @_nonEphemeral varianceCorrections: UnsafePointer<Float>, @_nonEphemeral resets: UnsafePointer<UInt8>
    ) {
        assert(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.meanCorrections = meanCorrections
        self.varianceCorrections = varianceCorrections
        self.resets = resets
    }
}

/// The affine map behind the norm.
public struct TimestepNormParameters {
    /// [features], without the 1.
    public var weight: UnsafePointer<Float>
    /// [features].
    public var bias: UnsafePointer<Float>

    @inlinable public init(@_nonEphemeral weight: UnsafePointer<Float>, @_nonEphemeral bias: UnsafePointer<Float>) {
        self.weight = weight
        self.bias = bias
    }
}

/// Gradients of `TimestepNormParameters`; added to.
public struct TimestepNormParameterGradients {
    /// [features].
    public var weight: UnsafeMutablePointer<Float>
    /// [features].
    public var bias: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral weight: UnsafeMutablePointer<Float>, @_nonEphemeral bias: UnsafeMutablePointer<Float>
    ) {
        self.weight = weight
        self.bias = bias
    }
}

/// The groups that a call is for: workers share groups.
public struct GroupShare {
    public var shape: GroupedShape
    public var groups: Range<Int>

    @inlinable public init(shape: GroupedShape, groups: Range<Int>) {
        assert(groups.lowerBound >= 0 && groups.upperBound <= shape.groups)
        self.shape = shape
        self.groups = groups
    }
}

/// What the forward read, and kept for the backward.
public struct TimestepNormed {
    /// [rows, features], without gaps.
    public var x: UnsafePointer<Float>
    /// [features], without the 1.
    public var weight: UnsafePointer<Float>
    /// Corrected means [rows, groups].
    public var means: UnsafePointer<Float>
    /// Inverse corrected deviations [rows, groups].
    public var scales: UnsafePointer<Float>

    @inlinable public init(
        @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral weight: UnsafePointer<Float>,
        @_nonEphemeral means: UnsafePointer<Float>, @_nonEphemeral scales: UnsafePointer<Float>
    ) {
        self.x = x
        self.weight = weight
        self.means = means
        self.scales = scales
    }
}

/// y = (x - mean) scale (1 + weight) + bias with corrected running averages, token by token.
public struct TimestepNormArguments {
    /// [rows, features], without gaps; written.
    public var y: UnsafeMutablePointer<Float>
    /// Corrected means [rows, groups]; written, for the backward.
    public var means: UnsafeMutablePointer<Float>
    /// Inverse corrected deviations [rows, groups]; written, for the backward.
    public var scales: UnsafeMutablePointer<Float>
    /// Moved on by all tokens.
    public var state: TimestepNormState
    /// [rows, features], without gaps.
    public var x: UnsafePointer<Float>
    public var parameters: TimestepNormParameters
    public var decay: TimestepDecay
    public var share: GroupShare

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, @_nonEphemeral means: UnsafeMutablePointer<Float>,
        @_nonEphemeral scales: UnsafeMutablePointer<Float>, state: TimestepNormState,
        @_nonEphemeral x: UnsafePointer<Float>, parameters: TimestepNormParameters, decay: TimestepDecay,
        share: GroupShare
    ) {
        self.y = y
        self.means = means
        self.scales = scales
        self.state = state
        self.x = x
        self.parameters = parameters
        self.decay = decay
        self.share = share
    }
}

/// y = (x - mean) scale (1 + weight) + bias from what the forward kept.
public struct TimestepNormAgainArguments {
    /// [rows, features], without gaps; written.
    public var y: UnsafeMutablePointer<Float>
    public var forward: TimestepNormed
    /// [features].
    public var bias: UnsafePointer<Float>
    public var shape: GroupedShape

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, forward: TimestepNormed,
        @_nonEphemeral bias: UnsafePointer<Float>, shape: GroupedShape
    ) {
        self.y = y
        self.forward = forward
        self.bias = bias
        self.shape = shape
    }
}

/// Reverse in time: dx, and the state's gradient handed on becomes that of the state received.
public struct TimestepNormBackwardArguments {
    /// [rows, features], without gaps; written.
    public var dx: UnsafeMutablePointer<Float>
    public var parameterGradients: TimestepNormParameterGradients
    /// Of the state handed on, in; of the state received, out.
    public var stateGradient: TimestepNormState
    /// [rows, features], without gaps.
    public var dy: UnsafePointer<Float>
    public var forward: TimestepNormed
    public var decay: TimestepDecay
    public var share: GroupShare
    /// 4 x groups floats; calls for other groups may use the same.
    public var scratch: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral dx: UnsafeMutablePointer<Float>, parameterGradients: TimestepNormParameterGradients,
        stateGradient: TimestepNormState, @_nonEphemeral dy: UnsafePointer<Float>, forward: TimestepNormed,
        decay: TimestepDecay, share: GroupShare, @_nonEphemeral scratch: UnsafeMutablePointer<Float>
    ) {
        self.dx = dx
        self.parameterGradients = parameterGradients
        self.stateGradient = stateGradient
        self.dy = dy
        self.forward = forward
        self.decay = decay
        self.share = share
        self.scratch = scratch
    }
}
