import KernelInterface

extension MatrixTile {
    /// A panel of columns of C from packed rows of A, which take whole strips.
    @inline(__always)
    package func multiply(
        rows count: Int, columns width: Int, words: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
        scale: Float = 1, to c: Destination
    ) {
        var i = 0
        while i < count {
            multiply(
                words, a + i * words, b,
                TileCells(c.base + i * c.stride, stride: c.stride, rows: min(rows, count - i), columns: width), scale,
                c.adds)
            i += rows
        }
    }
}

/// A left factor A [rows, k] of tiles: as it lies where a tile takes it so, otherwise packed in strips.
package struct LeftFactor {
    let base: UnsafePointer<Float>
    /// Floats from a row to the next, and from a k to the next; of a packed factor, words of a row.
    let row, step: Int
}

extension MatrixTile {
    /// A from x [count, k].
    ///
    /// - Parameter packed: where strips may be put
    @inline(__always)
    package func left(
        rows x: FloatRows, count: Int, depth k: Int, packed: UnsafeMutablePointer<Float>
    ) -> LeftFactor {
        if multiplyUnpacked != nil { return LeftFactor(base: x.base, row: x.stride, step: 1) }
        packRows(packed, x.base, x.stride, count, k, rows)
        return LeftFactor(base: packed, row: words(k), step: 0)
    }

    /// A from x [k, count].
    @inline(__always)
    package func left(
        columns x: FloatRows, count: Int, depth k: Int, packed: UnsafeMutablePointer<Float>
    ) -> LeftFactor {
        if multiplyUnpacked != nil { return LeftFactor(base: x.base, row: 1, step: x.stride) }
        packColumns(packed, x.base, x.stride, count, k, rows)
        return LeftFactor(base: packed, row: words(k), step: 0)
    }

    /// A from rows that lie at `base`, or that `packRows` has left there.
    @inline(__always)
    package func left(kept base: UnsafePointer<Float>, stride: Int, depth k: Int) -> LeftFactor {
        LeftFactor(base: base, row: multiplyUnpacked != nil ? stride : words(k), step: 1)
    }

    /// C (+)= A B for the strip of A that begins with `row`, a multiple of the tile's; of its k, `count` from `first`
    /// on.
    @inline(__always)
    package func multiply(
        _ left: LeftFactor, row: Int, k first: Int, count: Int, _ b: UnsafePointer<Float>, to c: TileCells, adds: Bool
    ) {
        if let multiplyUnpacked {
            multiplyUnpacked(
                count, left.base + row * left.row + first * left.step, left.row, left.step, b, c, adds)
        } else {
            multiply(words(count), left.base + row * left.row + first / step * rows, b, c, 1, adds)
        }
    }
}
