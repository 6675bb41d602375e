import CSIMD
import KernelInterface

// Timestep decay norm (GECKO.md, TDN) for the groups g0..<g1 over `rows` tokens. x, y [rows, d]; per-group quantities
// [rows, groups]; `c1`, `c2` [rows] are 1 / (1 - beta^count); `reset[t]` != 0 marks a bos. Time runs inside, so workers
// share groups.

/// Sum of n consecutive features: vectors where the group is wide, a short chain where it is narrow.
@inline(always) func groupSum(_ x: P, _ n: Int) -> Float {
    if n >= 16 { return sum(x, n) }
    var a: Float = 0
    var i = 0
    while i < n {
        a += x[i]
        i &+= 1
    }
    return a
}

@inline(always) func groupVariance(_ x: P, _ mean: Float, _ n: Int) -> Float {
    if n >= 16 {
        var a = V.zero
        var i = 0
        while i < n {
            var v = load(x, i, upTo: n) - mean
            if n &- i < 16 { v = clear(v, from: n &- i) }
            a = fma(v, v, a)
            i &+= 16
        }
        return cs_hsum(a) / Float(n)
    }
    var a: Float = 0
    var i = 0
    while i < n {
        let v = x[i] - mean
        a += v * v
        i &+= 1
    }
    return a / Float(n)
}

/// mean, variance [groups]: the running averages, in and out. mhat, r [rows, groups] are kept for the backward.
func timestepNorm(_ a: TimestepNormArguments) {
    let (y, mhat, r, x) = (a.y, a.means, a.scales, a.x)
    let (mean, variance) = (a.state.mean, a.state.variance)
    let (w, b) = (a.parameters.weight, a.parameters.bias)
    let (beta1, beta2, eps) = (a.decay.beta1, a.decay.beta2, Float(a.decay.eps))
    let (c1, c2, reset) = (a.decay.meanCorrections, a.decay.varianceCorrections, a.decay.resets)
    let (rows, d, groups) = (a.share.shape.rows, a.share.shape.features, a.share.shape.groups)
    let (g0, g1) = (a.share.groups.lowerBound, a.share.groups.upperBound)
    let n = d / groups
    let b1 = all(Float(beta1))
    let b2 = all(Float(beta2))
    let a1 = all(Float(1 - beta1))
    let a2 = all(Float(1 - beta2))
    var t = 0
    while t < rows {
        let xt = x + t &* d
        let mt = mhat + t &* groups
        let rt = r + t &* groups
        var g = g0
        while g < g1 {
            let u = groupSum(xt + g &* n, n) / Float(n)
            mt[g] = u
            rt[g] = groupVariance(xt + g &* n, u, n)
            g &+= 1
        }
        let keep = all(reset[t] == 0 ? 1 : 0)
        let k1 = all(c1[t])
        let k2 = all(c2[t])
        g = g0
        while g < g1 {
            let m = fma(b1 * keep, load(mean, g, upTo: g1), a1 * load(mt, g, upTo: g1))
            let v = fma(b2 * keep, load(variance, g, upTo: g1), a2 * load(rt, g, upTo: g1))
            store(mean, g, m, upTo: g1)
            store(variance, g, v, upTo: g1)
            store(mt, g, m * k1, upTo: g1)
            store(rt, g, 1 / cs_sqrt(fma(v, k2, all(eps))), upTo: g1)
            g &+= 16
        }
        normaliseGroups(
            y + t &* d, TimestepNormed(x: xt, weight: w, means: mt, scales: rt), b, n, a.share.groups)
        t &+= 1
    }
}

/// One token's y = (x - m) r (1 + w) + b.
@inline(always) func normaliseGroups(
    _ y: MP, _ forward: TimestepNormed, _ b: P, _ n: Int, _ groups: Range<Int>
) {
    let (x, w) = (forward.x, forward.weight)
    var g = groups.lowerBound
    while g < groups.upperBound {
        let s = forward.scales[g]
        let m = forward.means[g]
        var i = g &* n
        let end = i &+ n
        if n >= 16 {
            while i < end {
                let v = (load(x, i, upTo: end) - m) * s
                store(y, i, fma(v, 1 + load(w, i, upTo: end), load(b, i, upTo: end)), upTo: end)
                i &+= 16
            }
        } else {
            while i < end {
                y[i] = (x[i] - m) * s * (1 + w[i]) + b[i]
                i &+= 1
            }
        }
        g &+= 1
    }
}

/// y again from what the forward kept.
func timestepNormRecompute(_ a: TimestepNormAgainArguments) {
    let (y, x, mhat, r) = (a.y, a.forward.x, a.forward.means, a.forward.scales)
    let (w, b) = (a.forward.weight, a.bias)
    let all = 0..<a.shape.groups
    let (rows, d, groups) = (a.shape.rows, a.shape.features, a.shape.groups)
    var t = 0
    while t < rows {
        normaliseGroups(
            y + t &* d,
            TimestepNormed(x: x + t &* d, weight: w, means: mhat + t &* groups, scales: r + t &* groups), b,
            d / groups, all)
        t &+= 1
    }
}

/// dx [rows, d]; the state's gradient [groups]: of the state handed on, in; of the state received, out. dw, db [d] are
/// added to. `scratch` holds 4 x groups floats (any worker may use its own groups' part of it).
func timestepNormBackward(_ a: TimestepNormBackwardArguments) {
    let (dx, dy, w, scratch, forward) = (a.dx, a.dy, a.forward.weight, a.scratch, a.forward)
    let (dw, db) = (a.parameterGradients.weight, a.parameterGradients.bias)
    let (dmean, dvariance) = (a.stateGradient.mean, a.stateGradient.variance)
    let (c1, c2, reset) = (a.decay.meanCorrections, a.decay.varianceCorrections, a.decay.resets)
    let (rows, d, groups) = (a.share.shape.rows, a.share.shape.features, a.share.shape.groups)
    let (g0, g1) = (a.share.groups.lowerBound, a.share.groups.upperBound)
    let n = d / groups
    let b1 = all(Float(a.decay.beta1))
    let b2 = all(Float(a.decay.beta2))
    let a1 = all(Float((1 - a.decay.beta1) / Double(n)))
    let a2 = all(Float(2 * (1 - a.decay.beta2) / Double(n)))
    let sums = TimestepSums(scratch, groups)
    var t = rows &- 1
    while t >= 0 {
        let token = TimestepToken(
            x: forward.x + t &* d, dy: dy + t &* d, means: forward.means + t &* groups,
            scales: forward.scales + t &* groups, features: n, g0: g0, g1: g1)
        token.sum(w, dw, db, into: sums)
        let k1 = all(c1[t])
        let k2 = all(0.5 * c2[t])
        let keep = all(reset[t] == 0 ? 1 : 0)
        var g = g0
        while g < g1 {
            let s = load(token.scales, g, upTo: g1)
            let a = fma(-(s * load(sums.ofGradient, g, upTo: g1)), k1, load(dmean, g, upTo: g1))
            let b = fma(-(s * s * s * load(sums.ofProduct, g, upTo: g1)), k2, load(dvariance, g, upTo: g1))
            store(sums.ofGradient, g, a * a1, upTo: g1)
            store(sums.ofProduct, g, b * a2, upTo: g1)
            store(dmean, g, a * b1 * keep, upTo: g1)
            store(dvariance, g, b * b2 * keep, upTo: g1)
            g &+= 16
        }
        token.spread(sums, w, to: dx + t &* d)
        t &-= 1
    }
}

/// What the backward sums in each group [groups]: d = dy (1 + w), d (x - m), and the mean of x.
/// The state's share of dx then takes the first two's place.
struct TimestepSums {
    let ofGradient, ofProduct, mean: MP

    @inline(always) init(_ scratch: MP, _ groups: Int) {
        ofGradient = scratch
        ofProduct = scratch + groups
        mean = scratch + 2 &* groups
    }
}

/// One token in the backward: x, dy [d], what the forward kept [groups], and the groups g0..<g1 of n features.
struct TimestepToken {
    let x, dy, means, scales: P
    let features, g0, g1: Int

    /// The sums of the groups; adds the token's share to dw and db.
    @inline(always) func sum(_ w: P, _ dw: MP, _ db: MP, into sums: TimestepSums) {
        let n = features
        var g = g0
        while g < g1 {
            let m = means[g]
            let s = scales[g]
            var i = g &* n
            let end = i &+ n
            if n >= 16 {
                var p1 = V.zero
                var p2 = V.zero
                var p3 = V.zero
                while i < end {
                    let xv = load(x, i, upTo: end)
                    let gv = load(dy, i, upTo: end)
                    let e = gv * (1 + load(w, i, upTo: end))
                    let c = xv - m
                    p1 += e
                    p2 = fma(e, c, p2)
                    p3 += xv
                    store(dw, i, fma(gv, c * s, load(dw, i, upTo: end)), upTo: end)
                    store(db, i, load(db, i, upTo: end) + gv, upTo: end)
                    i &+= 16
                }
                sums.ofGradient[g] = cs_hsum(p1)
                sums.ofProduct[g] = cs_hsum(p2)
                sums.mean[g] = cs_hsum(p3) / Float(n)
            } else {
                var p1: Float = 0
                var p2: Float = 0
                var p3: Float = 0
                while i < end {
                    let c = x[i] - m
                    let e = dy[i] * (1 + w[i])
                    p1 += e
                    p2 += e * c
                    p3 += x[i]
                    dw[i] += dy[i] * c * s
                    db[i] += dy[i]
                    i &+= 1
                }
                sums.ofGradient[g] = p1
                sums.ofProduct[g] = p2
                sums.mean[g] = p3 / Float(n)
            }
            g &+= 1
        }
    }

    /// dx [d] from the groups' shares.
    @inline(always) func spread(_ sums: TimestepSums, _ w: P, to dx: MP) {
        let n = features
        var g = g0
        while g < g1 {
            let s = scales[g]
            let ca = sums.ofGradient[g]
            let cb = sums.ofProduct[g]
            let mean = sums.mean[g]
            var i = g &* n
            let end = i &+ n
            if n >= 16 {
                while i < end {
                    let e = load(dy, i, upTo: end) * (1 + load(w, i, upTo: end))
                    store(dx, i, fma(all(cb), load(x, i, upTo: end) - mean, fma(e, all(s), all(ca))), upTo: end)
                    i &+= 16
                }
            } else {
                while i < end {
                    dx[i] = dy[i] * (1 + w[i]) * s + ca + cb * (x[i] - mean)
                    i &+= 1
                }
            }
            g &+= 1
        }
    }
}

var timestepNormKernels: TimestepNormKernels {
    TimestepNormKernels(
        timestepNorm: timestepNorm, timestepNormRecompute: timestepNormRecompute,
        timestepNormBackward: timestepNormBackward, cumulativeNorm: cumulativeNorm,
        cumulativeNormBackward: cumulativeNormBackward)
}
