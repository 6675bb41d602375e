import CSIMD
import KernelInterface

/// Columns that row t sees.
@inline(always) private func visible(_ extent: Extent, _ seen: Int, _ t: Int) -> Int {
    max(0, min(extent.columns, seen &+ t))
}

/// s[t, j] += b[j - t] for the first seen + t columns of each row.
func addDistanceBias(_ s: MutableFloatRows, _ extent: Extent, _ seen: Int, _ b: P) {
    var t = 0
    while t < extent.rows {
        let x = s.base + t &* s.stride
        let n = visible(extent, seen, t)
        var i = 0
        while i < n {
            store(x, i, load(x, i, upTo: n) + load(b, i &- t, upTo: n &- t), upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// sums[j - t] += g[t, j] for the first seen + t columns of each row, row after row.
func addDiagonals(_ sums: MP, _ g: FloatRows, _ extent: Extent, _ seen: Int) {
    var t = 0
    while t < extent.rows {
        let x = g.base + t &* g.stride
        let n = visible(extent, seen, t)
        var i = 0
        while i < n {
            let place = i &- t
            store(sums, place, load(sums, place, upTo: n &- t) + load(x, i, upTo: n), upTo: n &- t)
            i &+= 16
        }
        t &+= 1
    }
}

/// The high part of x, whose square and whose product with another such part are exact.
@inline(always) private func head(_ x: V) -> V {
    unsafeBitCast(unsafeBitCast(x, to: SIMD16<UInt32>.self) & 0xffff_f000, to: V.self)
}

/// Mean and deviation of the laplace function, the official code's figures for sqrt(1/2) and sqrt(1/(4 pi)); w = (s -
/// mean) / (deviation sqrt 2).
private enum Laplace {
    static var mean: Float { 0.707107 }
    static var meanRest: Float { Float(0.707107 - Double(mean)) }
    /// 1 / (deviation sqrt 2)
    @inline(always) static var exactRate: Double { 0.70710678118654752440 / 0.282095 }
    static var rate: Float { Float(exactRate) }
    static var rateRest: Float { Float(exactRate - Double(rate)) }
    /// 1 / (deviation sqrt(2 pi))
    static var density: Float { Float(0.39894228040143267794 / 0.282095) }
}

/// f(s) = erfc(-w) / 2 and f'(s), each to a few units in its last place, far below the mean, too.
///
/// 1 + erf(w) would cancel there. e^(-w^2) is sensitive: w is kept as a sum of two numbers, and the square of the first
/// one's high part is exact. erfc(a) / 2 = t G(t) e^(-a^2), t = 1 / (1 + a/2): G is a polynomial of degree 8 fitted to
/// a relative error of 5e-8 for 0 <= a <= 9.6, behind which e^(-a^2) is 0 in single precision.
@inline(always) private func normalDistribution(_ s0: V) -> (value: V, density: V) {
    // Nothing changes beyond these, and no infinity may meet another below.
    let s = cs_max(cs_min(s0, all(6)), all(-4))
    let mean = all(Laplace.mean)
    let d = s - mean
    let b = d - s
    let rest = (s - (d - b)) - (mean + b) - Laplace.meanRest
    let rate = all(Laplace.rate)
    let (dh, rh) = (head(d), head(rate))
    let w = d * rate
    let exact = dh * rh - w
    let low = exact + dh * (rate - rh) + (d - dh) * rh + (d - dh) * (rate - rh)
    let wRest = low + d * Laplace.rateRest + rest * rate
    let wh = head(w)
    let wl = (w - wh) + wRest
    let x = -(wh + wh + wl) * wl
    // |x| stays below 0.1.
    var small = fma(x, all(1.0 / 120), all(1.0 / 24))
    small = fma(small, x, all(1.0 / 6))
    small = fma(small, x, all(0.5))
    small = fma(small, x, all(1))
    let e = vexp(-wh * wh) * fma(small, x, all(1))
    let t = 1 / fma(cs_max(w, -w), all(0.5), all(1))
    var g = fma(t, all(-0.029465824), all(0.14195119))
    g = fma(g, t, all(-0.24290054))
    g = fma(g, t, all(0.13822939))
    g = fma(g, t, all(-0.012755657))
    g = fma(g, t, all(0.10110613))
    g = fma(g, t, all(0.12161232))
    g = fma(g, t, all(0.14117928))
    g = fma(g, t, all(0.14104369))
    let tail = g * t * e
    return (tail.replacing(with: 1 - tail, where: w .> 0), e * Laplace.density)
}

func laplaceWeights(_ s: MutableFloatRows, _ extent: Extent, _ seen: Int) {
    var t = 0
    while t < extent.rows {
        let x = s.base + t &* s.stride
        let n = visible(extent, seen, t)
        var i = 0
        while i < n {
            store(x, i, normalDistribution(load(x, i, upTo: n)).value, upTo: n)
            i &+= 16
        }
        zero(x, n, extent.columns)
        t &+= 1
    }
}

func squaredReLUWeights(_ s: MutableFloatRows, _ extent: Extent, _ seen: Int) {
    var t = 0
    while t < extent.rows {
        let x = s.base + t &* s.stride
        let n = visible(extent, seen, t)
        var i = 0
        while i < n {
            let v = cs_max(load(x, i, upTo: n), .zero)
            store(x, i, v * v, upTo: n)
            i &+= 16
        }
        zero(x, n, extent.columns)
        t &+= 1
    }
}

func laplaceBackward(_ s: MutableFloatRows, _ dw: MutableFloatRows, _ extent: Extent, _ seen: Int) {
    var t = 0
    while t < extent.rows {
        let x = s.base + t &* s.stride
        let g = dw.base + t &* dw.stride
        let n = visible(extent, seen, t)
        var i = 0
        while i < n {
            let f = normalDistribution(load(x, i, upTo: n))
            store(x, i, f.value, upTo: n)
            store(g, i, load(g, i, upTo: n) * f.density, upTo: n)
            i &+= 16
        }
        zero(x, n, extent.columns)
        zero(g, n, extent.columns)
        t &+= 1
    }
}

func squaredReLUBackward(_ s: MutableFloatRows, _ dw: MutableFloatRows, _ extent: Extent, _ seen: Int) {
    var t = 0
    while t < extent.rows {
        let x = s.base + t &* s.stride
        let g = dw.base + t &* dw.stride
        let n = visible(extent, seen, t)
        var i = 0
        while i < n {
            let v = cs_max(load(x, i, upTo: n), .zero)
            store(x, i, v * v, upTo: n)
            store(g, i, load(g, i, upTo: n) * (v + v), upTo: n)
            i &+= 16
        }
        zero(x, n, extent.columns)
        zero(g, n, extent.columns)
        t &+= 1
    }
}

var biasedAttentionKernels: BiasedAttentionKernels {
    BiasedAttentionKernels(
        addDistanceBias: addDistanceBias, addDiagonals: addDiagonals, laplaceWeights: laplaceWeights,
        squaredReLUWeights: squaredReLUWeights, laplaceBackward: laplaceBackward,
        squaredReLUBackward: squaredReLUBackward)
}
