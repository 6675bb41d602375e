import KernelInterface
import Numerics

/// The carried state of one layer, or its gradient (the same layout): the timestep norm's averages, the EMA's state,
/// the window's keys and values, the working memory. What a model is without takes no floats.
package struct LayerState {
    /// The timestep norm's running averages (`GeckoNorm.shape`).
    package let mean, variance: UnsafeMutablePointer<Float>
    /// [2, N, paddedDim].
    package let ema: UnsafeMutablePointer<Float>
    /// The window's keys, rotated or as the memory takes them [n, Z], and values [n, E].
    package let keys, memoryKeys, values: UnsafeMutablePointer<Float>
    /// M [H, dz, dv] and l [H, dz].
    package let memory, lognorm: UnsafeMutablePointer<Float>
    private let normCount: Int
    private let emaCount: Int
    private let zDim, memoryKeyDim: Int
    private let valueDim: Int
    private let memoryCount: Int
    /// Rows that the window has room for.
    private let capacity: Int

    /// Windows hold up to `window` tokens.
    package init(_ carver: inout Carver, _ c: GeckoConfiguration, window: Int) {
        normCount = GeckoNorm.count(c)
        emaCount = c.emaCount
        zDim = c.zDim
        memoryKeyDim = c.memoryKeyDim
        valueDim = c.valueDim
        memoryCount = c.memoryKeyDim * c.headValueDim
        capacity = window
        mean = carver.take(normCount)
        variance = carver.take(normCount)
        ema = carver.take(emaCount)
        keys = carver.take(window * zDim)
        memoryKeys = carver.take(window * memoryKeyDim)
        values = carver.take(window * valueDim)
        memory = carver.take(memoryCount)
        lognorm = carver.take(memoryKeyDim)
    }

    var norm: GeckoNorm.State { .init(mean: mean, variance: variance) }
    var workingMemory: AdaptiveWorkingMemory.Memory { .init(values: memory, lognorm: lognorm) }

    package static func count(_ c: GeckoConfiguration, window: Int) -> Int {
        var carver = Carver(counting: ())
        _ = LayerState(&carver, c, window: window)
        return carver.used
    }

    package static func at(_ base: UnsafeMutablePointer<Float>, _ c: GeckoConfiguration, window: Int) -> LayerState {
        var carver = Carver(base)
        return LayerState(&carver, c, window: window)
    }

    /// For slices of this shape.
    static func at(_ base: UnsafeMutablePointer<Float>, _ c: GeckoConfiguration, _ shape: SliceShape) -> LayerState {
        at(base, c, window: SliceGeometry(shape, c).window)
    }

    /// The parts by name, for windows of up to `window` tokens.
    static func tensors(_ c: GeckoConfiguration, window: Int, block: String) -> [StateTensor] {
        // Only differences of addresses count: nothing is read.
        let base = UnsafeMutablePointer<Float>(bitPattern: 64).unsafelyUnwrapped
        let s = LayerState.at(base, c, window: window)
        func tensor(_ name: String, _ part: UnsafeMutablePointer<Float>, _ shape: [Int]) -> StateTensor {
            StateTensor("\(block).\(name)", shape, offset: part - base)
        }
        return [
            tensor("mean", s.mean, GeckoNorm.shape(c)), tensor("variance", s.variance, GeckoNorm.shape(c)),
            tensor("ema", s.ema, [2, c.ema ? c.emaDim : 0, c.paddedDim]), tensor("keys", s.keys, [window, c.zDim]),
            tensor("memory_keys", s.memoryKeys, [window, c.memoryKeyDim]),
            tensor("values", s.values, [window, c.valueDim]),
            tensor("memory", s.memory, [c.memoryKeyDim, c.headValueDim]),
            tensor("lognorm", s.lognorm, [c.memoryKeyDim]),
        ].filter { !$0.shape.contains(0) }
    }

    /// No tokens yet: zeros, and an empty memory.
    func reset() {
        mean.update(repeating: 0, count: normCount)
        variance.update(repeating: 0, count: normCount)
        ema.update(repeating: 0, count: emaCount)
        memory.update(repeating: 0, count: memoryCount)
        lognorm.update(repeating: -.infinity, count: memoryKeyDim)
    }

    /// Everything but the window.
    func copyRecurrences(from other: LayerState) {
        mean.update(from: other.mean, count: normCount)
        variance.update(from: other.variance, count: normCount)
        ema.update(from: other.ema, count: emaCount)
        memory.update(from: other.memory, count: memoryCount)
        lognorm.update(from: other.lognorm, count: memoryKeyDim)
    }

    typealias Window = (k: UnsafeMutablePointer<Float>, ak: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>)

    var window: Window { (keys, memoryKeys, values) }

    static func copyWindow(_ window: Window, to w: Window, rows: Int, _ c: GeckoConfiguration) {
        w.k.update(from: window.k, count: rows * c.zDim)
        w.ak.update(from: window.ak, count: rows * c.memoryKeyDim)
        w.v.update(from: window.v, count: rows * c.valueDim)
    }

    func setWindow(from w: Window, rows: Int) {
        precondition(rows <= capacity, "a window of \(rows) tokens doesn't fit the state's \(capacity)")
        keys.update(from: w.k, count: rows * zDim)
        memoryKeys.update(from: w.ak, count: rows * memoryKeyDim)
        values.update(from: w.v, count: rows * valueDim)
    }

    /// Fills gradients of `keys` rows: this window's `rows` at row `from`, zeros elsewhere (nothing lies behind the
    /// window).
    func copyWindowGradient(to w: Window, keys count: Int, from: Int, rows: Int) {
        precondition(from + rows == count, "the window handed on must be the tail of the keys held")
        for (target, source, width) in [(w.k, keys, zDim), (w.ak, memoryKeys, memoryKeyDim), (w.v, values, valueDim)] {
            target.update(repeating: 0, count: from * width)
            (target + from * width).update(from: source, count: rows * width)
        }
    }
}
