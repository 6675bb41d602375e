/// Softmax of causal attention scores, tile by tile.
public struct AttentionKernels: Sendable {
    /// Scores become exponentials, not yet divided by their sum.
    public let causalExponentials: @Sendable (CausalExponentialsArguments) -> Void
    /// The same for more columns of rows that have exponentials already, over what the rows have: top and total are
    /// those so far and become those of all. A row sees `seen + t` columns, perhaps none. The last argument [rows]
    /// receives e^(top before - top): what was summed with the exponentials before is to be multiplied by it.
    public let continueCausalExponentials: @Sendable (CausalExponentialsArguments, UnsafeMutablePointer<Float>) -> Void
    /// y[t] *= factor[t]: (y, factor [rows], extent).
    public let multiplyRows: @Sendable (MutableFloatRows, UnsafePointer<Float>, Extent) -> Void
    /// y[t] /= total[t], 0 where the total is 0: (y, total [rows], extent).
    public let divideRows: @Sendable (MutableFloatRows, UnsafePointer<Float>, Extent) -> Void
    /// Scores become probabilities, their gradients those of the scores.
    public let causalSoftmaxBackward: @Sendable (CausalSoftmaxBackwardArguments) -> Void
    /// dots[t] = the sum of x[t] y[t]: (dots [rows], x, y, extent).
    public let rowDots: @Sendable (UnsafeMutablePointer<Float>, FloatRows, FloatRows, Extent) -> Void
    /// Scores between different documents become -infinity.
    public let maskDocuments: @Sendable (MaskDocumentsArguments) -> Void

    public init(
        causalExponentials: @escaping @Sendable (CausalExponentialsArguments) -> Void,
        continueCausalExponentials:
            @escaping @Sendable (
                CausalExponentialsArguments, UnsafeMutablePointer<Float>
            ) -> Void,
        multiplyRows: @escaping @Sendable (MutableFloatRows, UnsafePointer<Float>, Extent) -> Void,
        divideRows: @escaping @Sendable (MutableFloatRows, UnsafePointer<Float>, Extent) -> Void,
        causalSoftmaxBackward: @escaping @Sendable (CausalSoftmaxBackwardArguments) -> Void,
        rowDots: @escaping @Sendable (UnsafeMutablePointer<Float>, FloatRows, FloatRows, Extent) -> Void,
        maskDocuments: @escaping @Sendable (MaskDocumentsArguments) -> Void
    ) {
        self.causalExponentials = causalExponentials
        self.continueCausalExponentials = continueCausalExponentials
        self.multiplyRows = multiplyRows
        self.divideRows = divideRows
        self.causalSoftmaxBackward = causalSoftmaxBackward
        self.rowDots = rowDots
        self.maskDocuments = maskDocuments
    }
}

/// Scores become e^(score - top) in place. Row t sees its first `seen + t` columns; the rest become 0.
public struct CausalExponentialsArguments {
    /// [rows, columns]; changed.
    public var scores: MutableFloatRows
    public var extent: Extent
    /// Columns that the first row sees, at least 1 where the rows begin.
    public var seen: Int
    /// [rows]; receives each row's maximum.
    public var top: UnsafeMutablePointer<Float>
    /// [rows]; receives the sum of exponentials, 0 for a row that sees nothing but -infinity.
    public var total: UnsafeMutablePointer<Float>

    @inlinable public init(
        scores: MutableFloatRows, extent: Extent, seen: Int, @_nonEphemeral top: UnsafeMutablePointer<Float>,
        @_nonEphemeral total: UnsafeMutablePointer<Float>
    ) {
        assert(scores.holds(extent))
        assert(extent.rows == 0 || extent.columns > 0)
        self.scores = scores
        self.extent = extent
        self.seen = seen
        self.top = top
        self.total = total
    }
}

/// Scores and dP become, in place, P = e^(score - top) / total and dS = P (dP - delta); both 0 where a row doesn't see.
public struct CausalSoftmaxBackwardArguments {
    /// [rows, columns] with rows `stride` apart; changed to P.
    public var scores: UnsafeMutablePointer<Float>
    /// [rows, columns] with rows `stride` apart: dP, changed to dS.
    public var gradients: UnsafeMutablePointer<Float>
    public var stride: Int
    public var extent: Extent
    /// Columns that the first row sees; one more with each row. May be negative.
    public var seen: Int
    /// [rows], as `causalExponentials` left it.
    public var top: UnsafePointer<Float>
    /// [rows], as `causalExponentials` left it.
    public var total: UnsafePointer<Float>
    /// [rows]: the sum of P dP.
    public var delta: UnsafePointer<Float>

    @inlinable public init(
        @_nonEphemeral scores: UnsafeMutablePointer<Float>, @_nonEphemeral gradients: UnsafeMutablePointer<Float>,
        stride: Int, extent: Extent, seen: Int, @_nonEphemeral top: UnsafePointer<Float>,
        @_nonEphemeral total: UnsafePointer<Float>, @_nonEphemeral delta: UnsafePointer<Float>
    ) {
        assert(stride >= extent.columns)
        self.scores = scores
        self.gradients = gradients
        self.stride = stride
        self.extent = extent
        self.seen = seen
        self.top = top
        self.total = total
        self.delta = delta
    }
}

/// scores[t, j] = -infinity where the documents of t and j differ.
public struct MaskDocumentsArguments {
    /// [rows, columns]; changed.
    public var scores: MutableFloatRows
    public var extent: Extent
    /// [rows].
    public var rowDocuments: UnsafePointer<Int32>
    /// [columns].
    public var columnDocuments: UnsafePointer<Int32>

    @inlinable public init(
        scores: MutableFloatRows, extent: Extent, @_nonEphemeral rowDocuments: UnsafePointer<Int32>,
        @_nonEphemeral columnDocuments: UnsafePointer<Int32>
    ) {
        assert(scores.holds(extent))
        self.scores = scores
        self.extent = extent
        self.rowDocuments = rowDocuments
        self.columnDocuments = columnDocuments
    }
}
