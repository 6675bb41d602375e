/// Sums, products and moves of rows.
public struct ElementwiseKernels: Sendable {
    /// y += x: (y, x, count).
    public let addTo: @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
    /// y = x + row, for every row: (y, x, row [columns], extent). y may be x.
    public let addRow: @Sendable (MutableFloatRows, FloatRows, UnsafePointer<Float>, Extent) -> Void
    /// y += x * row, for every row: (y, x, row [columns], extent).
    public let addProductRow: @Sendable (MutableFloatRows, FloatRows, UnsafePointer<Float>, Extent) -> Void
    /// y = x * row, for every row: (y, x, row [columns], extent); y and x without gaps. y may be x.
    public let multiplyRow:
        @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Extent) -> Void
    /// sums += the sum of x over its rows: (x, extent, sums [columns]).
    public let columnSums: @Sendable (FloatRows, Extent, UnsafeMutablePointer<Float>) -> Void
    /// dots += the sum of x * y over their rows: (x, y, extent, dots [columns]).
    public let columnDots: @Sendable (FloatRows, FloatRows, Extent, UnsafeMutablePointer<Float>) -> Void
    /// y[t] = scale table[ids[t]].
    public let gatherRows: @Sendable (GatherRowsArguments) -> Void
    /// table[ids[t]] += scale rows[t], t ascending.
    public let scatterRows: @Sendable (ScatterRowsArguments) -> Void

    public init(
        addTo: @escaping @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void,
        addRow: @escaping @Sendable (MutableFloatRows, FloatRows, UnsafePointer<Float>, Extent) -> Void,
        addProductRow: @escaping @Sendable (MutableFloatRows, FloatRows, UnsafePointer<Float>, Extent) -> Void,
        multiplyRow:
            @escaping @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Extent) ->
            Void, columnSums: @escaping @Sendable (FloatRows, Extent, UnsafeMutablePointer<Float>) -> Void,
        columnDots: @escaping @Sendable (FloatRows, FloatRows, Extent, UnsafeMutablePointer<Float>) -> Void,
        gatherRows: @escaping @Sendable (GatherRowsArguments) -> Void,
        scatterRows: @escaping @Sendable (ScatterRowsArguments) -> Void
    ) {
        self.addTo = addTo
        self.addRow = addRow
        self.addProductRow = addProductRow
        self.multiplyRow = multiplyRow
        self.columnSums = columnSums
        self.columnDots = columnDots
        self.gatherRows = gatherRows
        self.scatterRows = scatterRows
    }
}

/// y[t] = scale table[ids[t]].
public struct GatherRowsArguments {
    /// [rows, columns], without gaps; written.
    public var y: UnsafeMutablePointer<Float>
    /// [_, columns], without gaps.
    public var table: UnsafePointer<Float>
    /// [rows]: which row of the table.
    public var ids: UnsafePointer<Int32>
    public var scale: Float
    /// Of y.
    public var extent: Extent

    @inlinable public init(
        @_nonEphemeral y: UnsafeMutablePointer<Float>, @_nonEphemeral table: UnsafePointer<Float>,
        @_nonEphemeral ids: UnsafePointer<Int32>, scale: Float, extent: Extent
    ) {
        self.y = y
        self.table = table
        self.ids = ids
        self.scale = scale
        self.extent = extent
    }
}

/// table[ids[t]] += scale rows[t], t ascending, in some columns only: so workers share columns, not rows.
public struct ScatterRowsArguments {
    /// [_, columns], without gaps; added to.
    public var table: UnsafeMutablePointer<Float>
    /// [rows, columns], without gaps.
    public var rows: UnsafePointer<Float>
    /// [rows]: which row of the table.
    public var ids: UnsafePointer<Int32>
    public var scale: Float
    /// Of `rows`.
    public var extent: Extent
    /// The columns that this call adds to.
    public var columns: Range<Int>

    @inlinable public init(
        @_nonEphemeral table: UnsafeMutablePointer<Float>, @_nonEphemeral rows: UnsafePointer<Float>,
        @_nonEphemeral ids: UnsafePointer<Int32>, scale: Float, extent: Extent, columns: Range<Int>
    ) {
        assert(columns.lowerBound >= 0 && columns.upperBound <= extent.columns)
        self.table = table
        self.rows = rows
        self.ids = ids
        self.scale = scale
        self.extent = extent
        self.columns = columns
    }
}
