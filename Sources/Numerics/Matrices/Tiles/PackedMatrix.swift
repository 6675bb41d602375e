import KernelInterface

/// A right factor B [depth, columns] in panels for tiles.
final class PackedMatrix: PreparedWeight {
    private let buffer: FloatBuffer
    private let passWords: Int
    private let paddedColumns: Int

    init(depth: Int, columns: Int, _ tile: MatrixTile) {
        paddedColumns = (columns + tile.columns - 1) / tile.columns * tile.columns
        passWords = tile.words(TileProducts.depth)
        buffer = FloatBuffer(tile.words(depth) * paddedColumns)
        super.init(depth: depth, columns: columns)
    }

    /// Runs of k that are multiplied one after another.
    var passes: Int { (depth + TileProducts.depth - 1) / TileProducts.depth }

    func panels(pass: Int) -> UnsafeMutablePointer<Float> { buffer.base + pass * passWords * paddedColumns }
}
