/// The innermost part of a matrix product at one CPU level: a tile of C = alpha A B from packed panels
/// (`Sources/CSIMD/csimd_tile.h`).
///
/// A panel holds `rows` rows of A, or `columns` columns of B, for consecutive k: [word][rows]. A 32-bit word is a
/// float32, or two consecutive k as bfloat16; sums are float32. Every element of C is one chain of multiply-adds over
/// k, so no cut of C shows in its bits.
public struct MatrixTile: Sendable {
    public typealias P = UnsafePointer<Float>
    public typealias MP = UnsafeMutablePointer<Float>

    public let rows: Int
    public let columns: Int
    /// k of one word: 1, or 2 for bfloat16.
    public let step: Int
    /// (words, a, b, c, alpha, adds): C = alpha A B, added to C when `adds`.
    public let multiply: @Sendable (Int, P, P, TileCells, Float, Bool) -> Void
    /// (k, a, row, step, b, c, adds): C = A B, added to C when `adds`, where A isn't packed: value p of row i lies at
    /// a[i row + p step]. The same bits. For what is multiplied once or twice and isn't worth packing; nil where words
    /// are two values.
    public let multiplyUnpacked: (@Sendable (Int, P, Int, Int, P, TileCells, Bool) -> Void)?
    /// (to, x, ld, count, k, width): x [count, k] becomes panels of `width` rows, [panel][word][width], filled up with
    /// zeros. A width that isn't a multiple of 8 writes up to 8 words beyond the last panel.
    public let packRows: @Sendable (MP, P, Int, Int, Int, Int) -> Void
    /// The same from x [k, count].
    public let packColumns: @Sendable (MP, P, Int, Int, Int, Int) -> Void

    /// Words that k consecutive values of a row take; a last one that isn't full is filled up with zeros.
    @inlinable public func words(_ k: Int) -> Int { (k + step - 1) / step }

    public init(
        rows: Int, columns: Int, step: Int,
        multiply: @escaping @Sendable (Int, P, P, TileCells, Float, Bool) -> Void,
        multiplyUnpacked: (@Sendable (Int, P, Int, Int, P, TileCells, Bool) -> Void)?,
        packRows: @escaping @Sendable (MP, P, Int, Int, Int, Int) -> Void,
        packColumns: @escaping @Sendable (MP, P, Int, Int, Int, Int) -> Void
    ) {
        self.rows = rows
        self.columns = columns
        self.step = step
        self.multiply = multiply
        self.multiplyUnpacked = multiplyUnpacked
        self.packRows = packRows
        self.packColumns = packColumns
    }
}

/// The part of C that a tile computes, at most the tile's rows and columns. Four words: they travel in registers.
public struct TileCells {
    public var base: UnsafeMutablePointer<Float>
    /// Floats from a row to the next.
    public var stride: Int
    public var rows: Int
    public var columns: Int

    @inlinable public init(
        @_nonEphemeral _ base: UnsafeMutablePointer<Float>, stride: Int, rows: Int, columns: Int
    ) {
        assert(rows >= 0 && columns >= 0 && (rows <= 1 || stride >= columns))
        self.base = base
        self.stride = stride
        self.rows = rows
        self.columns = columns
    }
}
