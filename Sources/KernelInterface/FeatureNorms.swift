/// Norms over features, in groups.
public struct FeatureNormKernels: Sendable {
    /// y = x r (1 + weight).
    public let rmsNorm: @Sendable (RMSNormArguments) -> Void
    /// dx from dy.
    public let rmsNormBackward: @Sendable (RMSNormBackwardArguments) -> Void
    /// The weight's gradient from dy.
    public let rmsNormWeight: @Sendable (RMSNormWeightArguments) -> Void
    /// y = (x - m) r (1 + weight) + bias.
    public let layerNorm: @Sendable (LayerNormArguments) -> Void
    /// dx from dy.
    public let layerNormBackward: @Sendable (LayerNormBackwardArguments) -> Void
    /// The gradients of weight and bias from dy.
    public let layerNormWeight: @Sendable (LayerNormWeightArguments) -> Void

    public init(
        rmsNorm: @escaping @Sendable (RMSNormArguments) -> Void,
        rmsNormBackward: @escaping @Sendable (RMSNormBackwardArguments) -> Void,
        rmsNormWeight: @escaping @Sendable (RMSNormWeightArguments) -> Void,
        layerNorm: @escaping @Sendable (LayerNormArguments) -> Void,
        layerNormBackward: @escaping @Sendable (LayerNormBackwardArguments) -> Void,
        layerNormWeight: @escaping @Sendable (LayerNormWeightArguments) -> Void
    ) {
        self.rmsNorm = rmsNorm
        self.rmsNormBackward = rmsNormBackward
        self.rmsNormWeight = rmsNormWeight
        self.layerNorm = layerNorm
        self.layerNormBackward = layerNormBackward
        self.layerNormWeight = layerNormWeight
    }
}

/// y = x r (1 + weight), r = (mean x^2 + eps)^(-1/2) of each group.
public struct RMSNormArguments {
    /// [rows, features]; written.
    public var y: MutableFloatRows
    /// r [rows, groups]; written, for the backward.
    public var scales: UnsafeMutablePointer<Float>
    /// [rows, features].
    public var x: FloatRows
    /// [features], without the 1; none: all 0.
    public var weight: UnsafePointer<Float>?
    public var shape: GroupedShape
    public var eps: Float

    @inlinable public init(
        y: MutableFloatRows, @_nonEphemeral scales: UnsafeMutablePointer<Float>, x: FloatRows,
        @_nonEphemeral weight: UnsafePointer<Float>?, shape: GroupedShape, eps: Float
    ) {
        assert(y.stride >= shape.features && x.stride >= shape.features)
        self.y = y
        self.scales = scales
        self.x = x
        self.weight = weight
        self.shape = shape
        self.eps = eps
    }
}

/// dx = r d - r^3 x mean(d x), d = dy (1 + weight); added to dx when `adds`.
public struct RMSNormBackwardArguments {
    /// [rows, features]; written, or added to.
    public var dx: MutableFloatRows
    /// [rows, features].
    public var dy: FloatRows
    /// [rows, features]: what the forward read.
    public var x: FloatRows
    /// r [rows, groups], as the forward left it.
    public var scales: UnsafePointer<Float>
    /// [features], without the 1; none: all 0.
    public var weight: UnsafePointer<Float>?
    public var shape: GroupedShape
    /// Whether dx is added to.
    public var adds: Bool

    @inlinable public init(
        dx: MutableFloatRows, dy: FloatRows, x: FloatRows, @_nonEphemeral scales: UnsafePointer<Float>,
        @_nonEphemeral weight: UnsafePointer<Float>?, shape: GroupedShape, adds: Bool = false
    ) {
        assert(dx.stride >= shape.features && dy.stride >= shape.features && x.stride >= shape.features)
        self.dx = dx
        self.dy = dy
        self.x = x
        self.scales = scales
        self.weight = weight
        self.shape = shape
        self.adds = adds
    }
}

/// dweight += the sum over rows of dy x r, in some columns.
public struct RMSNormWeightArguments {
    /// [features]; added to.
    public var dweight: UnsafeMutablePointer<Float>
    /// [rows, features], without gaps.
    public var dy: UnsafePointer<Float>
    /// [rows, features], without gaps.
    public var x: UnsafePointer<Float>
    /// r [rows, groups].
    public var scales: UnsafePointer<Float>
    public var shape: GroupedShape
    /// The features that this call adds to.
    public var columns: Range<Int>

    @inlinable public init(
        @_nonEphemeral dweight: UnsafeMutablePointer<Float>, @_nonEphemeral dy: UnsafePointer<Float>,
        @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral scales: UnsafePointer<Float>, shape: GroupedShape,
        columns: Range<Int>
    ) {
        assert(columns.lowerBound >= 0 && columns.upperBound <= shape.features)
        self.dweight = dweight
        self.dy = dy
        self.x = x
        self.scales = scales
        self.shape = shape
        self.columns = columns
    }
}

/// Where a forward leaves the mean and the inverse deviation of each group.
public struct GroupStatistics {
    /// m [rows, groups].
    public var means: UnsafeMutablePointer<Float>
    /// r [rows, groups].
    public var scales: UnsafeMutablePointer<Float>

    @inlinable public init(
        @_nonEphemeral means: UnsafeMutablePointer<Float>, @_nonEphemeral scales: UnsafeMutablePointer<Float>
    ) {
        self.means = means
        self.scales = scales
    }
}

/// The affine map behind a layer norm.
public struct LayerNormParameters {
    /// [features], without the 1; none: all 0.
    public var weight: UnsafePointer<Float>?
    /// [features]; none: all 0.
    public var bias: UnsafePointer<Float>?

    @inlinable public init(
        @_nonEphemeral weight: UnsafePointer<Float>?, @_nonEphemeral bias: UnsafePointer<Float>?
    ) {
        self.weight = weight
        self.bias = bias
    }
}

/// Gradients of `LayerNormParameters`; added to.
public struct LayerNormParameterGradients {
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

/// y = (x - m) r (1 + weight) + bias, m and r = (variance + eps)^(-1/2) of each group. All without gaps.
public struct LayerNormArguments {
    /// [rows, features]; written.
    public var y: UnsafeMutablePointer<Float>
    /// Written, for the backward.
    public var statistics: GroupStatistics
    /// [rows, features].
    public var x: UnsafePointer<Float>
    public var parameters: LayerNormParameters
    public var shape: GroupedShape
    public var eps: Float

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, statistics: GroupStatistics,
        @_nonEphemeral x: UnsafePointer<Float>, parameters: LayerNormParameters, shape: GroupedShape, eps: Float
    ) {
        self.y = y
        self.statistics = statistics
        self.x = x
        self.parameters = parameters
        self.shape = shape
        self.eps = eps
    }
}

/// What a layer norm's forward read, and kept for its backward.
public struct LayerNormed {
    /// [rows, features].
    public var x: UnsafePointer<Float>
    /// m [rows, groups].
    public var means: UnsafePointer<Float>
    /// r [rows, groups].
    public var scales: UnsafePointer<Float>

    @inlinable public init(
        @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral means: UnsafePointer<Float>,
        @_nonEphemeral scales: UnsafePointer<Float>
    ) {
        self.x = x
        self.means = means
        self.scales = scales
    }
}

/// dx = r (d - mean d) - r^3 (x - m) mean(d (x - m)), d = dy (1 + weight). All without gaps.
public struct LayerNormBackwardArguments {
    /// [rows, features]; written, or added to.
    public var dx: UnsafeMutablePointer<Float>
    /// [rows, features].
    public var dy: UnsafePointer<Float>
    public var forward: LayerNormed
    /// [features], without the 1; none: all 0.
    public var weight: UnsafePointer<Float>?
    public var shape: GroupedShape
    /// Whether dx is added to.
    public var adds: Bool

    @inlinable public init(
        @_nonEphemeral dx: UnsafeMutablePointer<Float>, @_nonEphemeral dy: UnsafePointer<Float>, forward: LayerNormed,
        @_nonEphemeral weight: UnsafePointer<Float>?, shape: GroupedShape, adds: Bool
    ) {
        self.dx = dx
        self.dy = dy
        self.forward = forward
        self.weight = weight
        self.shape = shape
        self.adds = adds
    }
}

/// dweight += the sum over rows of dy (x - m) r, dbias += the sum of dy, in some columns. All without gaps.
public struct LayerNormWeightArguments {
    public var gradients: LayerNormParameterGradients
    /// [rows, features].
    public var dy: UnsafePointer<Float>
    public var forward: LayerNormed
    public var shape: GroupedShape
    /// The features that this call adds to.
    public var columns: Range<Int>

    @inlinable public init(
        gradients: LayerNormParameterGradients, @_nonEphemeral dy: UnsafePointer<Float>, forward: LayerNormed,
        shape: GroupedShape, columns: Range<Int>
    ) {
        assert(columns.lowerBound >= 0 && columns.upperBound <= shape.features)
        self.gradients = gradients
        self.dy = dy
        self.forward = forward
        self.shape = shape
        self.columns = columns
    }
}
