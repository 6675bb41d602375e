/// Rows of float32 to read: row t begins at `base + t * stride`.
public struct FloatRows {
    public var base: UnsafePointer<Float>
    /// Floats from a row to the next.
    public var stride: Int

    @inlinable public init(@_nonEphemeral _ base: UnsafePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }

    /// Whether rows of this extent don't overlap.
    @inlinable public func holds(_ extent: Extent) -> Bool { extent.rows <= 1 || stride >= extent.columns }
}

/// Rows of float32 to write: row t begins at `base + t * stride`.
public struct MutableFloatRows {
    public var base: UnsafeMutablePointer<Float>
    /// Floats from a row to the next.
    public var stride: Int

    @inlinable public init(@_nonEphemeral _ base: UnsafeMutablePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }

    /// Whether rows of this extent don't overlap.
    @inlinable public func holds(_ extent: Extent) -> Bool { extent.rows <= 1 || stride >= extent.columns }
}

/// Rows and columns of a matrix. Where rows come without gaps, a row begins `columns` floats after the one before.
public struct Extent {
    public var rows: Int
    public var columns: Int

    @inlinable public init(rows: Int, columns: Int) {
        assert(rows >= 0 && columns >= 0)
        self.rows = rows
        self.columns = columns
    }
}

/// Rows of features in equal groups (of a norm, or heads): group g of a row holds features `g * n..<(g + 1) * n`,
/// n = features / groups. What there is one of for each group is [rows, groups], without gaps.
public struct GroupedShape {
    public var rows: Int
    public var features: Int
    public var groups: Int

    @inlinable public init(rows: Int, features: Int, groups: Int) {
        assert(rows >= 0 && groups > 0 && features % groups == 0)
        self.rows = rows
        self.features = features
        self.groups = groups
    }
}
