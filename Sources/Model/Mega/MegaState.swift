import Kernels
import Numerics

/// The largest slice that a Mega's memory is laid out for.
struct MegaGeometry {
    /// Tokens.
    let length: Int
    /// Keys that a state has room for: none where slices are whole chunks, or every token of the sequence has its row.
    let window: Int
    /// Tiles of the EMA that don't begin with a document.
    let tiles: Int
    let workers: Int

    init(_ shape: SliceShape, _ c: MegaConfiguration) {
        length = shape.length
        window = shape.aligned || c.seesAll ? 0 : c.chunk - 1
        tiles = length / KernelTable.emaTile + 1
        workers = shape.workers
    }
}

/// The carried state of one layer, or its gradient (the same layout): the EMA's state, keys and values of the
/// unfinished chunk.
struct MegaState {
    /// [N, paddedDim].
    let ema: UnsafeMutablePointer<Float>
    /// The window's keys [n, Z] and values [n, E].
    let keys, values: UnsafeMutablePointer<Float>
    private let emaCount, zDim, valueDim: Int
    /// Rows that the window has room for.
    private let capacity: Int

    /// Windows hold up to `window` tokens.
    init(_ carver: inout Carver, _ c: MegaConfiguration, window: Int) {
        (emaCount, zDim, valueDim, capacity) = (c.emaDim * c.paddedDim, c.zDim, c.valueDim, window)
        ema = carver.take(emaCount)
        keys = carver.take(window * zDim)
        values = carver.take(window * valueDim)
    }

    /// Keys [n, Z] and values [n, E] from some row on.
    struct Rows {
        let keys, values: UnsafeMutablePointer<Float>
    }

    static func count(_ c: MegaConfiguration, window: Int) -> Int {
        var carver = Carver(counting: ())
        _ = MegaState(&carver, c, window: window)
        return carver.used
    }

    static func at(_ base: UnsafeMutablePointer<Float>, _ c: MegaConfiguration, window: Int) -> MegaState {
        var carver = Carver(base)
        return MegaState(&carver, c, window: window)
    }

    /// For slices of this shape.
    static func at(_ base: UnsafeMutablePointer<Float>, _ c: MegaConfiguration, _ shape: SliceShape) -> MegaState {
        at(base, c, window: MegaGeometry(shape, c).window)
    }

    /// The parts by name, for windows of up to `window` tokens.
    static func tensors(_ c: MegaConfiguration, window: Int, block: String) -> [StateTensor] {
        // Only differences of addresses count: nothing is read.
        let base = UnsafeMutablePointer<Float>(bitPattern: 64).unsafelyUnwrapped
        let s = MegaState.at(base, c, window: window)
        let ema = StateTensor("\(block).ema", [c.emaDim, c.paddedDim], offset: s.ema - base)
        if window == 0 { return [ema] }
        return [
            ema, StateTensor("\(block).keys", [window, c.zDim], offset: s.keys - base),
            StateTensor("\(block).values", [window, c.valueDim], offset: s.values - base),
        ]
    }

    /// No tokens yet.
    func reset() { ema.update(repeating: 0, count: emaCount) }

    func copyAverage(from other: MegaState) { ema.update(from: other.ema, count: emaCount) }

    func copyWindow(to rows: Rows, count: Int) {
        rows.keys.update(from: keys, count: count * zDim)
        rows.values.update(from: values, count: count * valueDim)
    }

    func setWindow(from rows: Rows, count: Int) {
        precondition(count <= capacity, "a window of \(count) tokens doesn't fit the state's \(capacity)")
        keys.update(from: rows.keys, count: count * zDim)
        values.update(from: rows.values, count: count * valueDim)
    }

    /// Fills gradients of `all` keys and values: this window's `count` are the last of them, the others' are 0.
    func copyWindowGradient(to rows: Rows, all: Int, count: Int) {
        precondition(count <= all, "the window handed on is the tail of the keys held")
        for (target, source, width) in [(rows.keys, keys, zDim), (rows.values, values, valueDim)] {
            target.update(repeating: 0, count: (all - count) * width)
            (target + (all - count) * width).update(from: source, count: count * width)
        }
    }
}
