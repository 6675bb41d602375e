/// The moments of all features that a group has had so far, or their gradients: changed in place.
///
/// Each number is a pair of floats, the number rounded and what the rounding left: what a token changes becomes ever
/// smaller beside what it is added to, so that a float alone would drift away.
public struct CumulativeMoments {
    /// [2, groups]: the numbers, and the rests.
    public var mean: UnsafeMutablePointer<Float>
    /// [2, groups].
    public var variance: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral mean: UnsafeMutablePointer<Float>, @_nonEphemeral variance: UnsafeMutablePointer<Float>
    ) {
        self.mean = mean
        self.variance = variance
    }
}

/// How much each token counts, and what is added to the variance.
public struct CumulativeWeights {
    /// [rows]: 1 / c, where c counts the tokens of the document, this one included. At 1 the moments begin anew.
    public var shares: UnsafePointer<Float>
    /// Added to the variance.
    public var eps: Double

    @inlinable public init(@_nonEphemeral shares: UnsafePointer<Float>, eps: Double) {
        self.shares = shares
        self.eps = eps
    }
}

/// y = (x - mean) scale (1 + weight) + bias with the moments of all tokens of the document so far, token by token.
public struct CumulativeNormArguments {
    /// [rows, features], without gaps; written.
    public var y: UnsafeMutablePointer<Float>
    /// Means [rows, groups]; written, for the backward.
    public var means: UnsafeMutablePointer<Float>
    /// Inverse deviations [rows, groups]; written, for the backward.
    public var scales: UnsafeMutablePointer<Float>
    /// Moved on by all tokens.
    public var moments: CumulativeMoments
    /// [rows, features], without gaps.
    public var x: UnsafePointer<Float>
    public var parameters: TimestepNormParameters
    public var weights: CumulativeWeights
    public var share: GroupShare

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, @_nonEphemeral means: UnsafeMutablePointer<Float>,
        @_nonEphemeral scales: UnsafeMutablePointer<Float>, moments: CumulativeMoments,
        @_nonEphemeral x: UnsafePointer<Float>, parameters: TimestepNormParameters, weights: CumulativeWeights,
        share: GroupShare
    ) {
        self.y = y
        self.means = means
        self.scales = scales
        self.moments = moments
        self.x = x
        self.parameters = parameters
        self.weights = weights
        self.share = share
    }
}

/// Reverse in time: dx, and the gradient of the moments handed on becomes that of the moments received.
public struct CumulativeNormBackwardArguments {
    /// [rows, features], without gaps; written.
    public var dx: UnsafeMutablePointer<Float>
    public var parameterGradients: TimestepNormParameterGradients
    /// Of the moments handed on, in; of the moments received, out.
    public var momentGradients: CumulativeMoments
    /// [rows, features], without gaps.
    public var dy: UnsafePointer<Float>
    public var forward: TimestepNormed
    /// [rows], as the forward had them.
    public var shares: UnsafePointer<Float>
    public var share: GroupShare
    /// 3 x groups floats; calls for other groups may use the same.
    public var scratch: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral dx: UnsafeMutablePointer<Float>, parameterGradients: TimestepNormParameterGradients,
        momentGradients: CumulativeMoments, @_nonEphemeral dy: UnsafePointer<Float>, forward: TimestepNormed,
        @_nonEphemeral shares: UnsafePointer<Float>, share: GroupShare,
        @_nonEphemeral scratch: UnsafeMutablePointer<Float>
    ) {
        self.dx = dx
        self.parameterGradients = parameterGradients
        self.momentGradients = momentGradients
        self.dy = dy
        self.forward = forward
        self.shares = shares
        self.share = share
        self.scratch = scratch
    }
}
