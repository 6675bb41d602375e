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
