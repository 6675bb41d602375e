import Kernels

/// The largest slice that a Megalodon's memory is laid out for.
struct MegalodonGeometry {
    /// Tokens.
    let length: Int
    /// Keys in the incoming window: none where slices are whole chunks.
    let window: Int
    /// Tiles of the EMA that don't begin with a document.
    let tiles: Int
    let workers: Int

    init(_ shape: SliceShape, _ c: MegalodonConfiguration) {
        length = shape.length
        window = shape.aligned ? 0 : c.chunk - 1
        tiles = length / KernelTable.emaTile + 1
        workers = shape.workers
    }
}
