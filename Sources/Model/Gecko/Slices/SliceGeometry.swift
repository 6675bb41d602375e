import Kernels

/// The largest slice that a Gecko's memory is laid out for.
package struct SliceGeometry: Sendable, Equatable {
    /// Tokens.
    package let length: Int
    /// Keys in the incoming window.
    package let window: Int
    /// Pieces (chunk cuts).
    package let pieces: Int
    /// Tiles of the EMA that don't begin with a bos.
    package let tiles: Int
    package let workers: Int

    /// For slices of `length` tokens. `aligned`: they begin and end at chunk boundaries. `chunks`: that a token sees.
    package init(length: Int, chunk: Int, chunks: Int = 2, aligned: Bool, tile: Int, workers: Int) {
        self.length = length
        window = aligned ? (chunks - 1) * chunk : chunks * chunk - 1
        pieces = (length + chunk - 1) / chunk + (aligned ? 0 : 1)
        tiles = length / tile + 1
        self.workers = workers
    }

    package init(_ shape: SliceShape, _ c: GeckoConfiguration) {
        self.init(
            length: shape.length, chunk: c.chunk, chunks: c.chunksSeen, aligned: shape.aligned,
            tile: KernelTable.emaTile, workers: shape.workers)
    }
}
