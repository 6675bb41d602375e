import KernelInterface
import Numerics

/// The carried state of one layer, or its gradient (the same layout): the timestep norm's moments, the EMA's state,
/// keys and values of the unfinished chunk.
struct MegalodonState {
    /// Pairs of floats [2, G].
    let mean, variance: UnsafeMutablePointer<Float>
    /// [2, N, paddedDim].
    let ema: UnsafeMutablePointer<Float>
    /// The window's keys, rotated [n, Z], and values [n, E].
    let keys, values: UnsafeMutablePointer<Float>
    private let recurrent: Int
    private let zDim, valueDim: Int
    /// Rows that the window has room for.
    private let capacity: Int

    /// Windows hold up to `window` tokens.
    init(_ carver: inout Carver, _ c: MegalodonConfiguration, window: Int) {
        zDim = c.zDim
        valueDim = c.valueDim
        capacity = window
        mean = carver.take(2 * c.normGroups)
        variance = carver.take(2 * c.normGroups)
        ema = carver.take(2 * c.emaDim * c.paddedDim)
        recurrent = carver.used
        keys = carver.take(window * zDim)
        values = carver.take(window * valueDim)
    }

    /// Keys and values, from some row on.
    typealias Rows = (k: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>)

    var moments: CumulativeMoments { CumulativeMoments(mean: mean, variance: variance) }
    var window: Rows { (keys, values) }

    static func count(_ c: MegalodonConfiguration, window: Int) -> Int {
        var carver = Carver(counting: ())
        _ = MegalodonState(&carver, c, window: window)
        return carver.used
    }

    static func at(_ base: UnsafeMutablePointer<Float>, _ c: MegalodonConfiguration, window: Int) -> MegalodonState {
        var carver = Carver(base)
        return MegalodonState(&carver, c, window: window)
    }

    /// For slices of this shape.
    static func at(_ base: UnsafeMutablePointer<Float>, _ c: MegalodonConfiguration, _ shape: SliceShape)
        -> MegalodonState
    {
        at(base, c, window: MegalodonGeometry(shape, c).window)
    }

    /// The parts by name, for windows of up to `window` tokens.
    static func tensors(_ c: MegalodonConfiguration, window: Int, block: String) -> [StateTensor] {
        // Only differences of addresses count: nothing is read.
        let base = UnsafeMutablePointer<Float>(bitPattern: 64).unsafelyUnwrapped
        let s = MegalodonState.at(base, c, window: window)
        func tensor(_ name: String, _ part: UnsafeMutablePointer<Float>, _ shape: [Int]) -> StateTensor {
            StateTensor("\(block).\(name)", shape, offset: part - base)
        }
        let recurrent = [
            tensor("mean", s.mean, [2, c.normGroups]), tensor("variance", s.variance, [2, c.normGroups]),
            tensor("ema", s.ema, [2, c.emaDim, c.paddedDim]),
        ]
        if window == 0 { return recurrent }
        return recurrent + [
            tensor("keys", s.keys, [window, c.zDim]), tensor("values", s.values, [window, c.valueDim]),
        ]
    }

    /// No tokens yet.
    func reset() { mean.update(repeating: 0, count: recurrent) }

    /// Everything but the window.
    func copyRecurrences(from other: MegalodonState) { mean.update(from: other.mean, count: recurrent) }

    /// Copies the first rows of a window.
    static func copy(_ window: Rows, to target: Rows, rows: Int, _ c: MegalodonConfiguration) {
        target.k.update(from: window.k, count: rows * c.zDim)
        target.v.update(from: window.v, count: rows * c.valueDim)
    }

    func setWindow(from window: Rows, rows: Int) {
        precondition(rows <= capacity, "a window of \(rows) tokens doesn't fit the state's \(capacity)")
        keys.update(from: window.k, count: rows * zDim)
        values.update(from: window.v, count: rows * valueDim)
    }

    /// Fills gradients of `count` keys and values: this window's `rows` are the last of them, the others' are 0.
    func copyWindowGradient(to window: Rows, keys count: Int, rows: Int) {
        precondition(rows <= count, "the window handed on is the tail of the keys held")
        for (target, source, width) in [(window.k, keys, zDim), (window.v, values, valueDim)] {
            target.update(repeating: 0, count: (count - rows) * width)
            (target + (count - rows) * width).update(from: source, count: rows * width)
        }
    }
}
