/// SiLU and what is multiplied by it.
public struct GatingKernels: Sendable {
    /// x += bias, y = silu(x).
    public let biasSilu: @Sendable (BiasSiluArguments) -> Void
    /// dx = dy silu'(x).
    public let siluBackward: @Sendable (SiluBackwardArguments) -> Void
    /// h = silu(a1) a3: (h, a, extent), h [rows, columns], a = (a1, a3) [rows, 2 columns], without gaps.
    public let swiglu: @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Extent) -> Void
    /// da from dh.
    public let swigluBackward: @Sendable (SwigluBackwardArguments) -> Void
    /// mix = attended silu(gate) + recalled.
    public let gatedMix: @Sendable (GatedMixArguments) -> Void
    /// Gradients of `attended` and `gate` from that of the mix.
    public let gatedMixBackward: @Sendable (GatedMixBackwardArguments) -> Void
    /// y = x + sigmoid(gate) (silu(candidate) - x).
    public let gatedResidual: @Sendable (GatedResidualArguments) -> Void
    /// Gradients of gate and candidate, and x's share, from dy.
    public let gatedResidualBackward: @Sendable (GatedResidualBackwardArguments) -> Void

    public init(
        biasSilu: @escaping @Sendable (BiasSiluArguments) -> Void,
        siluBackward: @escaping @Sendable (SiluBackwardArguments) -> Void,
        swiglu: @escaping @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Extent) -> Void,
        swigluBackward: @escaping @Sendable (SwigluBackwardArguments) -> Void,
        gatedMix: @escaping @Sendable (GatedMixArguments) -> Void,
        gatedMixBackward: @escaping @Sendable (GatedMixBackwardArguments) -> Void,
        gatedResidual: @escaping @Sendable (GatedResidualArguments) -> Void,
        gatedResidualBackward: @escaping @Sendable (GatedResidualBackwardArguments) -> Void
    ) {
        self.biasSilu = biasSilu
        self.siluBackward = siluBackward
        self.swiglu = swiglu
        self.swigluBackward = swigluBackward
        self.gatedMix = gatedMix
        self.gatedMixBackward = gatedMixBackward
        self.gatedResidual = gatedResidual
        self.gatedResidualBackward = gatedResidualBackward
    }
}

/// x += bias in place, then y = silu(x).
public struct BiasSiluArguments {
    /// [rows, columns]; changed when there is a bias.
    public var x: MutableFloatRows
    /// [columns], or none.
    public var bias: UnsafePointer<Float>?
    /// [rows, columns]; written.
    public var y: MutableFloatRows
    public var extent: Extent

    @inlinable public init(
        x: MutableFloatRows, @_nonEphemeral bias: UnsafePointer<Float>?, y: MutableFloatRows, extent: Extent
    ) {
        assert(x.holds(extent) && y.holds(extent))
        self.x = x
        self.bias = bias
        self.y = y
        self.extent = extent
    }
}

/// dx = dy silu'(x); dx may be dy.
public struct SiluBackwardArguments {
    /// [rows, columns]; written.
    public var dx: MutableFloatRows
    /// [rows, columns].
    public var dy: FloatRows
    /// [rows, columns]: what silu was taken of.
    public var x: FloatRows
    public var extent: Extent

    @inlinable public init(dx: MutableFloatRows, dy: FloatRows, x: FloatRows, extent: Extent) {
        assert(dx.holds(extent) && dy.holds(extent) && x.holds(extent))
        self.dx = dx
        self.dy = dy
        self.x = x
        self.extent = extent
    }
}

/// da = (dh a3 silu'(a1), dh silu(a1)) for a = (a1, a3).
public struct SwigluBackwardArguments {
    /// [rows, 2 columns], without gaps; written.
    public var da: UnsafeMutablePointer<Float>
    /// [rows, columns], without gaps.
    public var dh: UnsafePointer<Float>
    /// [rows, 2 columns], without gaps.
    public var a: UnsafePointer<Float>
    /// Of dh.
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral da: UnsafeMutablePointer<Float>, @_nonEphemeral dh: UnsafePointer<Float>,
        @_nonEphemeral a: UnsafePointer<Float>, extent: Extent
    ) {
        self.da = da
        self.dh = dh
        self.a = a
        self.extent = extent
    }
}

/// mix = attended silu(gate) + recalled.
public struct GatedMixArguments {
    /// [rows, columns], without gaps; written.
    public var mix: UnsafeMutablePointer<Float>
    /// [rows, columns], without gaps: what attention gave.
    public var attended: UnsafePointer<Float>
    /// [rows, columns], before silu.
    public var gate: FloatRows
    /// [rows, columns], without gaps: what the working memory gave; nil: there is none.
    public var recalled: UnsafePointer<Float>?
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral mix: UnsafeMutablePointer<Float>, @_nonEphemeral attended: UnsafePointer<Float>, gate: FloatRows,
        @_nonEphemeral recalled: UnsafePointer<Float>? = nil, extent: Extent
    ) {
        assert(gate.holds(extent))
        self.mix = mix
        self.attended = attended
        self.gate = gate
        self.recalled = recalled
        self.extent = extent
    }
}

/// dattended = dmix silu(gate), dgate = dmix attended silu'(gate).
public struct GatedMixBackwardArguments {
    /// [rows, columns], without gaps; written.
    public var dattended: UnsafeMutablePointer<Float>
    /// [rows, columns]; written.
    public var dgate: MutableFloatRows
    /// [rows, columns], without gaps.
    public var dmix: UnsafePointer<Float>
    /// [rows, columns], without gaps.
    public var attended: UnsafePointer<Float>
    /// [rows, columns], before silu.
    public var gate: FloatRows
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral dattended: UnsafeMutablePointer<Float>, dgate: MutableFloatRows,
        @_nonEphemeral dmix: UnsafePointer<Float>, @_nonEphemeral attended: UnsafePointer<Float>, gate: FloatRows,
        extent: Extent
    ) {
        assert(dgate.holds(extent) && gate.holds(extent))
        self.dattended = dattended
        self.dgate = dgate
        self.dmix = dmix
        self.attended = attended
        self.gate = gate
        self.extent = extent
    }
}

/// What a gated residual reads.
public struct GatedResidualInputs {
    /// [rows, columns].
    public var x: FloatRows
    /// [rows, columns], before the sigmoid.
    public var gate: FloatRows
    /// [rows, columns], before silu.
    public var candidate: FloatRows

    @inlinable public init(x: FloatRows, gate: FloatRows, candidate: FloatRows) {
        self.x = x
        self.gate = gate
        self.candidate = candidate
    }
}

/// y = x + u (silu(candidate) - x), u = sigmoid(gate).
public struct GatedResidualArguments {
    /// [rows, columns]; written.
    public var y: MutableFloatRows
    public var inputs: GatedResidualInputs
    public var extent: Extent

    @inlinable public init(y: MutableFloatRows, inputs: GatedResidualInputs, extent: Extent) {
        assert(y.holds(extent))
        self.y = y
        self.inputs = inputs
        self.extent = extent
    }
}

/// dx = dy (1 - u), dgate = dy (silu(candidate) - x) u (1 - u), dcandidate = dy u silu'(candidate).
public struct GatedResidualBackwardArguments {
    /// [rows, columns]; written.
    public var dx: MutableFloatRows
    /// [rows, columns]; written.
    public var dgate: MutableFloatRows
    /// [rows, columns]; written.
    public var dcandidate: MutableFloatRows
    /// [rows, columns].
    public var dy: FloatRows
    public var forward: GatedResidualInputs
    public var extent: Extent

    @inlinable public init(
        dx: MutableFloatRows, dgate: MutableFloatRows, dcandidate: MutableFloatRows, dy: FloatRows,
        forward: GatedResidualInputs, extent: Extent
    ) {
        assert(dx.holds(extent) && dgate.holds(extent) && dcandidate.holds(extent) && dy.holds(extent))
        self.dx = dx
        self.dgate = dgate
        self.dcandidate = dcandidate
        self.dy = dy
        self.forward = forward
        self.extent = extent
    }
}
