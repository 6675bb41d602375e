/// The complex exponential moving average.
public struct ComplexEMAKernels: Sendable {
    /// y, and the state moved on over all tokens.
    public let complexEMA: @Sendable (ComplexEMAArguments) -> Void
    /// dx, and the gradients of coefficients and state.
    public let complexEMABackward: @Sendable (ComplexEMABackwardArguments) -> Void

    public init(
        complexEMA: @escaping @Sendable (ComplexEMAArguments) -> Void,
        complexEMABackward: @escaping @Sendable (ComplexEMABackwardArguments) -> Void
    ) {
        self.complexEMA = complexEMA
        self.complexEMABackward = complexEMABackward
    }
}

/// The state of all channels, or its gradient: changed in place.
public struct ComplexEMAState {
    /// [orders, padded].
    public var real: UnsafeMutablePointer<Float>
    /// [orders, padded].
    public var imaginary: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral real: UnsafeMutablePointer<Float>, @_nonEphemeral imaginary: UnsafeMutablePointer<Float>
    ) {
        self.real = real
        self.imaginary = imaginary
    }
}

/// p, q and gamma of every channel and order, [orders, padded] each.
public struct ComplexEMACoefficients {
    public var p: UnsafePointer<Float>
    public var qReal: UnsafePointer<Float>
    public var qImaginary: UnsafePointer<Float>
    public var gammaReal: UnsafePointer<Float>
    public var gammaImaginary: UnsafePointer<Float>
    /// omega [dim], the weights of the residual; nil: 1.
    public var residualWeights: UnsafePointer<Float>?

    @inlinable public init(
        @_nonEphemeral p: UnsafePointer<Float>, @_nonEphemeral qReal: UnsafePointer<Float>,
        @_nonEphemeral qImaginary: UnsafePointer<Float>, @_nonEphemeral gammaReal: UnsafePointer<Float>,
        @_nonEphemeral gammaImaginary: UnsafePointer<Float>, residualWeights: UnsafePointer<Float>? = nil
    ) {
        self.p = p
        self.qReal = qReal
        self.qImaginary = qImaginary
        self.gammaReal = gammaReal
        self.gammaImaginary = gammaImaginary
        self.residualWeights = residualWeights
    }
}

/// Gradients of `ComplexEMACoefficients`, [orders, padded] each; added to.
public struct ComplexEMACoefficientGradients {
    public var p: UnsafeMutablePointer<Float>
    public var qReal: UnsafeMutablePointer<Float>
    public var qImaginary: UnsafeMutablePointer<Float>
    public var gammaReal: UnsafeMutablePointer<Float>
    public var gammaImaginary: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral p: UnsafeMutablePointer<Float>, @_nonEphemeral qReal: UnsafeMutablePointer<Float>,
        @_nonEphemeral qImaginary: UnsafeMutablePointer<Float>, @_nonEphemeral gammaReal: UnsafeMutablePointer<Float>,
        @_nonEphemeral gammaImaginary: UnsafeMutablePointer<Float>
    ) {
        self.p = p
        self.qReal = qReal
        self.qImaginary = qImaginary
        self.gammaReal = gammaReal
        self.gammaImaginary = gammaImaginary
    }
}

/// How time is cut: at every bos, and after `KernelTable.emaTile` tokens.
public struct ComplexEMATiles {
    public var count: Int
    /// [count]: first tokens, ascending from 0.
    public var starts: UnsafePointer<Int32>
    /// [count]: not 0 where a tile begins with a bos.
    public var resets: UnsafePointer<UInt8>
    /// Tokens of all tiles.
    public var rows: Int

    @inlinable public init(
        count: Int, @_nonEphemeral starts: UnsafePointer<Int32>, @_nonEphemeral resets: UnsafePointer<UInt8>, rows: Int
    ) {
        assert(count >= 0 && count <= rows && rows <= count * KernelTable.emaTile)
        self.count = count
        self.starts = starts
        self.resets = resets
        self.rows = rows
    }
}

/// The channels that a call is for: `first..<first + 16`, as far as they are below `dim`.
public struct ComplexEMAChannels {
    /// A multiple of 16.
    public var first: Int
    /// All channels.
    public var dim: Int
    /// `dim` rounded up to a multiple of 16: the row length of states and coefficients.
    public var padded: Int
    /// States of a channel.
    public var orders: Int

    @inlinable public init(first: Int, dim: Int, padded: Int, orders: Int) {
        assert(padded % 16 == 0 && padded >= dim && padded < dim + 16)
        assert(first % 16 == 0 && first >= 0 && first < dim && orders > 0)
        self.first = first
        self.dim = dim
        self.padded = padded
        self.orders = orders
    }
}

/// What a call works on, and in.
public struct ComplexEMAWork {
    public var tiles: ComplexEMATiles
    public var channels: ComplexEMAChannels
    /// `KernelTable.emaScratch` floats, of this worker.
    public var scratch: UnsafeMutablePointer<Float>

    @inlinable public init(
        tiles: ComplexEMATiles, channels: ComplexEMAChannels, @_nonEphemeral scratch: UnsafeMutablePointer<Float>
    ) {
        self.tiles = tiles
        self.channels = channels
        self.scratch = scratch
    }
}

/// y = omega x + Re sum_n gamma_n h_n with h = [not bos] q h + p x.
public struct ComplexEMAArguments {
    /// [rows, dim], without gaps; written.
    public var y: UnsafeMutablePointer<Float>
    /// h: moved on by all tokens.
    public var state: ComplexEMAState
    /// [_, 2, orders, padded]; receives the state at the entrance of each tile that doesn't begin with a bos.
    public var entries: UnsafeMutablePointer<Float>
    /// [rows, dim], without gaps.
    public var x: UnsafePointer<Float>
    public var coefficients: ComplexEMACoefficients
    public var work: ComplexEMAWork

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, state: ComplexEMAState,
        @_nonEphemeral entries: UnsafeMutablePointer<Float>, @_nonEphemeral x: UnsafePointer<Float>,
        coefficients: ComplexEMACoefficients, work: ComplexEMAWork
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
public struct ComplexEMAForward {
    /// [rows, dim], without gaps.
    public var x: UnsafePointer<Float>
    /// [_, 2, orders, padded], as the forward left them.
    public var entries: UnsafePointer<Float>
    public var coefficients: ComplexEMACoefficients

    @inlinable public init(
        @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral entries: UnsafePointer<Float>,
        coefficients: ComplexEMACoefficients
    ) {
        self.x = x
        self.entries = entries
        self.coefficients = coefficients
    }
}

/// dx = omega dy + the average's share, in reverse time. The gradient of omega is left to the caller: a sum over rows
/// of dy x.
public struct ComplexEMABackwardArguments {
    /// [rows, dim], without gaps; written.
    public var dx: UnsafeMutablePointer<Float>
    /// Of the state handed on, in; of the state received, out.
    public var stateGradient: ComplexEMAState
    public var coefficientGradients: ComplexEMACoefficientGradients
    /// [rows, dim], without gaps.
    public var dy: UnsafePointer<Float>
    public var forward: ComplexEMAForward
    public var work: ComplexEMAWork

    @inlinable public init(
        @_nonEphemeral dx: UnsafeMutablePointer<Float>, stateGradient: ComplexEMAState,
        coefficientGradients: ComplexEMACoefficientGradients, @_nonEphemeral dy: UnsafePointer<Float>,
        forward: ComplexEMAForward, work: ComplexEMAWork
    ) {
        self.dx = dx
        self.stateGradient = stateGradient
        self.coefficientGradients = coefficientGradients
        self.dy = dy
        self.forward = forward
        self.work = work
    }
}
