/// Softmax of rows and of columns.
public struct SoftmaxKernels: Sendable {
    /// y = softmax of each row of x: (y, x, extent). y may be x.
    public let softmaxRows: @Sendable (MutableFloatRows, FloatRows, Extent) -> Void
    /// dx = y (dy - sum y dy) for each row.
    public let softmaxRowsBackward: @Sendable (SoftmaxRowsBackwardArguments) -> Void
    /// y = softmax of each column of x: (y, its log-sum-exp [columns], x, extent).
    public let softmaxColumns: @Sendable (MutableFloatRows, UnsafeMutablePointer<Float>, FloatRows, Extent) -> Void
    /// The same for each column, and through its log-sum-exp.
    public let softmaxColumnsBackward: @Sendable (SoftmaxColumnsBackwardArguments) -> Void

    public init(
        softmaxRows: @escaping @Sendable (MutableFloatRows, FloatRows, Extent) -> Void,
        softmaxRowsBackward: @escaping @Sendable (SoftmaxRowsBackwardArguments) -> Void,
        softmaxColumns: @escaping @Sendable (MutableFloatRows, UnsafeMutablePointer<Float>, FloatRows, Extent) -> Void,
        softmaxColumnsBackward: @escaping @Sendable (SoftmaxColumnsBackwardArguments) -> Void
    ) {
        self.softmaxRows = softmaxRows
        self.softmaxRowsBackward = softmaxRowsBackward
        self.softmaxColumns = softmaxColumns
        self.softmaxColumnsBackward = softmaxColumnsBackward
    }
}

/// dx = y (dy - sum y dy) for each row.
public struct SoftmaxRowsBackwardArguments {
    /// [rows, columns]; written, or added to.
    public var dx: MutableFloatRows
    /// [rows, columns].
    public var dy: FloatRows
    /// [rows, columns]: the softmax.
    public var y: FloatRows
    public var extent: Extent
    /// Whether dx is added to.
    public var adds: Bool

    @inlinable public init(dx: MutableFloatRows, dy: FloatRows, y: FloatRows, extent: Extent, adds: Bool) {
        assert(dx.holds(extent) && dy.holds(extent) && y.holds(extent))
        self.dx = dx
        self.dy = dy
        self.y = y
        self.extent = extent
        self.adds = adds
    }
}

/// dx += y (dy - sum y dy) + y dlogSum for each column.
public struct SoftmaxColumnsBackwardArguments {
    /// [rows, columns]; added to.
    public var dx: MutableFloatRows
    /// [rows, columns].
    public var dy: FloatRows
    /// [rows, columns]: the softmax.
    public var y: FloatRows
    /// [columns]: the gradient of the log-sum-exp.
    public var dlogSum: UnsafePointer<Float>
    public var extent: Extent

    @inlinable public init(
        dx: MutableFloatRows, dy: FloatRows, y: FloatRows, @_nonEphemeral dlogSum: UnsafePointer<Float>, extent: Extent
    ) {
        assert(dx.holds(extent) && dy.holds(extent) && y.holds(extent))
        self.dx = dx
        self.dy = dy
        self.y = y
        self.dlogSum = dlogSum
        self.extent = extent
    }
}
