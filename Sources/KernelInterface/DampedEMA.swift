/// The damped exponential moving average of real numbers (MEGA.md).
public struct DampedEMAKernels: Sendable {
    /// y, and the state moved on over all tokens.
    public let dampedEMA: @Sendable (DampedEMAArguments) -> Void
    /// dx, and the gradients of coefficients and state.
    public let dampedEMABackward: @Sendable (DampedEMABackwardArguments) -> Void

    public init(
        dampedEMA: @escaping @Sendable (DampedEMAArguments) -> Void,
        dampedEMABackward: @escaping @Sendable (DampedEMABackwardArguments) -> Void
    ) {
        self.dampedEMA = dampedEMA
        self.dampedEMABackward = dampedEMABackward
    }
}

/// p, q and gamma of every channel and order, [orders, padded] each.
public struct DampedEMACoefficients {
    public var p: UnsafePointer<Float>
    public var q: UnsafePointer<Float>
    public var gamma: UnsafePointer<Float>

    @inlinable public init(
        @_nonEphemeral p: UnsafePointer<Float>, @_nonEphemeral q: UnsafePointer<Float>,
        @_nonEphemeral gamma: UnsafePointer<Float>
    ) {
        self.p = p
        self.q = q
        self.gamma = gamma
    }
}

/// Gradients of `DampedEMACoefficients`, [orders, padded] each; added to.
public struct DampedEMACoefficientGradients {
    public var p: UnsafeMutablePointer<Float>
    public var q: UnsafeMutablePointer<Float>
    public var gamma: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral p: UnsafeMutablePointer<Float>, @_nonEphemeral q: UnsafeMutablePointer<Float>,
        @_nonEphemeral gamma: UnsafeMutablePointer<Float>
    ) {
        self.p = p
        self.q = q
        self.gamma = gamma
    }
}

/// y = sum_n gamma_n h_n with h = [not bos] q h + p x. Tiles and channels are those of the complex average.
public struct DampedEMAArguments {
    /// [rows, dim], without gaps; written.
    public var y: UnsafeMutablePointer<Float>
    /// h [orders, padded]: moved on by all tokens.
    public var state: UnsafeMutablePointer<Float>
    /// [_, orders, padded]; receives the state at the entrance of each tile that doesn't begin with a bos.
    public var entries: UnsafeMutablePointer<Float>
    /// [rows, dim], without gaps.
    public var x: UnsafePointer<Float>
    public var coefficients: DampedEMACoefficients
    public var work: ComplexEMAWork

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, @_nonEphemeral state: UnsafeMutablePointer<Float>,
        @_nonEphemeral entries: UnsafeMutablePointer<Float>, @_nonEphemeral x: UnsafePointer<Float>,
        coefficients: DampedEMACoefficients, work: ComplexEMAWork
    ) {
        self.y = y
        self.state = state
        self.entries = entries
        self.x = x
        self.coefficients = coefficients
        self.work = work
    }
}

/// What the forward read, and kept for the backward.
public struct DampedEMAForward {
    /// [rows, dim], without gaps.
    public var x: UnsafePointer<Float>
    /// [_, orders, padded], as the forward left them.
    public var entries: UnsafePointer<Float>
    public var coefficients: DampedEMACoefficients

    @inlinable public init(
        @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral entries: UnsafePointer<Float>,
        coefficients: DampedEMACoefficients
    ) {
        self.x = x
        self.entries = entries
        self.coefficients = coefficients
    }
}

/// In reverse time, with g = gamma dy + carry: dx = sum p g, dp += x g, dgamma += h dy and, unless a token is a bos,
/// dq += h before g, carry = q g; behind a bos nothing is carried.
public struct DampedEMABackwardArguments {
    /// [rows, dim], without gaps; written.
    public var dx: UnsafeMutablePointer<Float>
    /// [orders, padded]: of the state handed on, in; of the state received, out.
    public var stateGradient: UnsafeMutablePointer<Float>
    public var coefficientGradients: DampedEMACoefficientGradients
    /// [rows, dim], without gaps.
    public var dy: UnsafePointer<Float>
    public var forward: DampedEMAForward
    public var work: ComplexEMAWork

    @inlinable public init(
        @_nonEphemeral dx: UnsafeMutablePointer<Float>, @_nonEphemeral stateGradient: UnsafeMutablePointer<Float>,
        coefficientGradients: DampedEMACoefficientGradients, @_nonEphemeral dy: UnsafePointer<Float>,
        forward: DampedEMAForward, work: ComplexEMAWork
    ) {
        self.dx = dx
        self.stateGradient = stateGradient
        self.coefficientGradients = coefficientGradients
        self.dy = dy
        self.forward = forward
        self.work = work
    }
}
