/// A right factor B [k, n] of matrix products, kept in panels: packed once, used by many products.
package final class PackedMatrix {
    /// k and n.
    package let depth: Int
    package let columns: Int
    private let buffer: FloatBuffer
    private let passWords: Int
    private let paddedColumns: Int

    package init(depth: Int, columns: Int, for engine: MatrixEngine) {
        self.depth = depth
        self.columns = columns
        let tile = engine.tile
        paddedColumns = (columns + tile.columns - 1) / tile.columns * tile.columns
        passWords = tile.words(MatrixEngine.depth)
        buffer = FloatBuffer(tile.words(depth) * paddedColumns)
    }

    /// Floats that such a matrix takes, whatever the tile's width up to 32 columns.
    package static func count(depth: Int, columns: Int, _ precision: Precision) -> Int {
        let step = precision == .bf16 ? 2 : 1
        return (depth + step - 1) / step * ((columns + 31) / 32 * 32)
    }

    package var passes: Int { (depth + MatrixEngine.depth - 1) / MatrixEngine.depth }

    func panels(pass: Int) -> UnsafeMutablePointer<Float> { buffer.base + pass * passWords * paddedColumns }

    /// Takes the values of b: [k, n] with row stride `ldb`, or [n, k] when `transposed`.
    package func pack(_ engine: MatrixEngine, transposed: Bool, _ b: UnsafePointer<Float>, _ ldb: Int) {
        for pass in 0..<passes {
            let pc = pass * MatrixEngine.depth
            engine.pack(
                transposed, b + (transposed ? pc : pc * ldb), ldb, columns, min(MatrixEngine.depth, depth - pc),
                to: panels(pass: pass))
        }
    }
}
