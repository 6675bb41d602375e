import CSIMD
import KernelInterface

// Norms over features (GECKO.md, RMS and LN). x, y [rows, d] with row strides; `groups` equal groups of n = d / groups
// features; r (and m) [rows, groups]. Weights are stored without the +1 and may be nil.

@inline(always) func rsqrt(_ x: Float) -> Float { 1 / x.squareRoot() }

@inline(always) func sum(_ x: P, _ n: Int) -> Float {
    var a = V.zero
    var i = 0
    while i < n {
        a += load(x, i, upTo: n)
        i &+= 16
    }
    return cs_hsum(a)
}

@inline(always) func dot(_ x: P, _ y: P, _ n: Int) -> Float {
    var a = V.zero
    var i = 0
    while i < n {
        a = fma(load(x, i, upTo: n), load(y, i, upTo: n), a)
        i &+= 16
    }
    return cs_hsum(a)
}

/// y = x r (1 + w), r = (mean x^2 + eps)^(-1/2).
func rmsNorm(_ a: RMSNormArguments) {
    let (y, r, x, w, eps) = (a.y.base, a.scales, a.x.base, a.weight, a.eps)
    let (ldy, ldx) = (a.y.stride, a.x.stride)
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    let n = d / groups
    var t = 0
    while t < rows {
        var g = 0
        while g < groups {
            let o = g &* n
            let xg = x + (t &* ldx &+ o)
            let yg = y + (t &* ldy &+ o)
            let s = rsqrt(dot(xg, xg, n) / Float(n) + eps)
            r[t &* groups &+ g] = s
            var i = 0
            while i < n {
                var v = load(xg, i, upTo: n) * s
                if let w { v *= 1 + load(w + o, i, upTo: n) }
                store(yg, i, v, upTo: n)
                i &+= 16
            }
            g &+= 1
        }
        t &+= 1
    }
}

/// dx = r d - r^3 x mean(d x), d = dy (1 + w); added to dx when `adds`.
func rmsNormBackward(_ a: RMSNormBackwardArguments) {
    if a.adds { return addRMSNormBackward(a) }
    rmsNormInputGradient(a, adds: false)
}

/// By itself, so that the other keeps its registers.
@inline(never) func addRMSNormBackward(_ a: RMSNormBackwardArguments) { rmsNormInputGradient(a, adds: true) }

/// - Parameter adds: a constant where this is called
@inline(__always) func rmsNormInputGradient(_ a: RMSNormBackwardArguments, adds: Bool) {
    let (dx, dy, x, r, w) = (a.dx.base, a.dy.base, a.x.base, a.scales, a.weight)
    let (lddx, lddy, ldx) = (a.dx.stride, a.dy.stride, a.x.stride)
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    let n = d / groups
    var t = 0
    while t < rows {
        var g = 0
        while g < groups {
            let o = g &* n
            let xg = x + (t &* ldx &+ o)
            let gy = dy + (t &* lddy &+ o)
            let out = dx + (t &* lddx &+ o)
            let s = r[t &* groups &+ g]
            var dots = V.zero
            var i = 0
            while i < n {
                var v = load(gy, i, upTo: n)
                if let w { v *= 1 + load(w + o, i, upTo: n) }
                dots = fma(v, load(xg, i, upTo: n), dots)
                i &+= 16
            }
            let c = all(-s * s * s * (cs_hsum(dots) / Float(n)))
            i = 0
            while i < n {
                var v = load(gy, i, upTo: n)
                if let w { v *= 1 + load(w + o, i, upTo: n) }
                let z = fma(c, load(xg, i, upTo: n), v * s)
                store(out, i, adds ? z + load(out, i, upTo: n) : z, upTo: n)
                i &+= 16
            }
            g &+= 1
        }
        t &+= 1
    }
}

/// dw[c] += sum over rows of dy x r for the columns c0..<c1.
func rmsNormWeight(_ a: RMSNormWeightArguments) {
    let (dw, dy, x, r) = (a.dweight, a.dy, a.x, a.scales)
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    let (c0, c1) = (a.columns.lowerBound, a.columns.upperBound)
    let n = d / groups
    var c = c0
    while c < c1 {
        let g = c / n
        let end = min(c1, (g &+ 1) &* n, c &+ 16)
        var sum = load(dw, c, upTo: end)
        var t = 0
        while t < rows {
            let k = t &* d
            sum = fma(load(dy + k, c, upTo: end), load(x + k, c, upTo: end) * r[t &* groups &+ g], sum)
            t &+= 1
        }
        store(dw, c, sum, upTo: end)
        c = end
    }
}

/// y = (x - m) r (1 + w) + b.
func layerNorm(_ a: LayerNormArguments) {
    let (y, m, r, x) = (a.y, a.statistics.means, a.statistics.scales, a.x)
    let (w, b) = (a.parameters.weight, a.parameters.bias)
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    let n = d / groups
    var t = 0
    while t < rows {
        var g = 0
        while g < groups {
            let o = g &* n
            let xg = x + (t &* d &+ o)
            let yg = y + (t &* d &+ o)
            let mean = sum(xg, n) / Float(n)
            var squares = V.zero
            var i = 0
            while i < n {
                var v = load(xg, i, upTo: n) - mean
                if n &- i < 16 { v = clear(v, from: n &- i) }
                squares = fma(v, v, squares)
                i &+= 16
            }
            let s = rsqrt(cs_hsum(squares) / Float(n) + a.eps)
            m[t &* groups &+ g] = mean
            r[t &* groups &+ g] = s
            i = 0
            while i < n {
                var v = (load(xg, i, upTo: n) - mean) * s
                if let w { v *= 1 + load(w + o, i, upTo: n) }
                if let b { v += load(b + o, i, upTo: n) }
                store(yg, i, v, upTo: n)
                i &+= 16
            }
            g &+= 1
        }
        t &+= 1
    }
}

/// Zeros in the lanes from `n` on.
@inline(always) func clear(_ v: V, from n: Int) -> V {
    let lane = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return v.replacing(with: 0, where: lane .>= Int32(truncatingIfNeeded: n))
}

/// dx = r (d - mean d) - r^3 (x - m) mean(d (x - m)), d = dy (1 + w); added to dx when `adds`.
func layerNormBackward(_ a: LayerNormBackwardArguments) {
    let (dx, dy, x, w) = (a.dx, a.dy, a.forward.x, a.weight)
    let (m, r) = (a.forward.means, a.forward.scales)
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    let n = d / groups
    var t = 0
    while t < rows {
        var g = 0
        while g < groups {
            let o = t &* d &+ g &* n
            let mean = m[t &* groups &+ g]
            let s = r[t &* groups &+ g]
            var a1 = V.zero
            var a2 = V.zero
            var i = 0
            while i < n {
                var v = load(dy + o, i, upTo: n)
                if let w { v *= 1 + load(w + g &* n, i, upTo: n) }
                a1 += v
                a2 = fma(v, load(x + o, i, upTo: n) - mean, a2)
                i &+= 16
            }
            let md = cs_hsum(a1) / Float(n)
            let c = all(-s * s * s * (cs_hsum(a2) / Float(n)))
            i = 0
            while i < n {
                var v = load(dy + o, i, upTo: n)
                if let w { v *= 1 + load(w + g &* n, i, upTo: n) }
                var z = fma(c, load(x + o, i, upTo: n) - mean, (v - md) * s)
                if a.adds { z += load(dx + o, i, upTo: n) }
                store(dx + o, i, z, upTo: n)
                i &+= 16
            }
            g &+= 1
        }
        t &+= 1
    }
}

/// dw[c] += sum over rows of dy (x - m) r, db[c] += sum of dy, for the columns c0..<c1.
func layerNormWeight(_ a: LayerNormWeightArguments) {
    let (dw, db, dy, x) = (a.gradients.weight, a.gradients.bias, a.dy, a.forward.x)
    let (m, r) = (a.forward.means, a.forward.scales)
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    let (c0, c1) = (a.columns.lowerBound, a.columns.upperBound)
    let n = d / groups
    var c = c0
    while c < c1 {
        let g = c / n
        let end = min(c1, (g &+ 1) &* n, c &+ 16)
        var sum = load(dw, c, upTo: end)
        var b = load(db, c, upTo: end)
        var t = 0
        while t < rows {
            let v = load(dy + t &* d, c, upTo: end)
            let j = t &* groups &+ g
            sum = fma(v, (load(x + t &* d, c, upTo: end) - m[j]) * r[j], sum)
            b += v
            t &+= 1
        }
        store(dw, c, sum, upTo: end)
        store(db, c, b, upTo: end)
        c = end
    }
}

var featureNormKernels: FeatureNormKernels {
    FeatureNormKernels(
        rmsNorm: rmsNorm, rmsNormBackward: rmsNormBackward, rmsNormWeight: rmsNormWeight, layerNorm: layerNorm,
        layerNormBackward: layerNormBackward, layerNormWeight: layerNormWeight)
}
