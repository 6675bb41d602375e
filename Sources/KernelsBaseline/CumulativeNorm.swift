import CSIMD
import KernelInterface

// Timestep norm over all tokens so far (MEGALODON.md, TN) for the groups g0..<g1 over `rows` tokens; shapes and
// shares as in TimestepNorm.swift, whose sums and normalisation it takes.

/// Numbers to twice a float's precision: `high` is the number rounded, `low` what the rounding left.
struct FloatPair {
    var high, low: V

    /// Those of the groups from g on, as far as g1; row 1 of [2, groups] has the rests.
    @inline(always) init(_ p: MP, _ g: Int, upTo g1: Int, of groups: Int, isZero: Bool) {
        high = isZero ? .zero : load(p, g, upTo: g1)
        low = isZero ? .zero : load(p + groups, g, upTo: g1)
    }

    @inline(always) func write(_ p: MP, _ g: Int, upTo g1: Int, of groups: Int) {
        store(p, g, high, upTo: g1)
        store(p + groups, g, low, upTo: g1)
    }

    /// Adds x: the sum and its rounding error (Knuth's TwoSum, for either being the larger).
    @inline(always) mutating func add(_ x: V) {
        let rest = x + low
        let sum = high + rest
        let part = sum - high
        low = (high - (sum - part)) + (rest - part)
        high = sum
    }
}

/// With a = 1 / c, u and s a token's mean and variance, e = u - mean:
///
///     variance += a (s - variance + (1 - a) e^2)    mean += a e
///
/// means, scales [rows, groups] are kept for the backward.
func cumulativeNorm(_ a: CumulativeNormArguments) {
    let (y, mhat, r, x) = (a.y, a.means, a.scales, a.x)
    let (w, b) = (a.parameters.weight, a.parameters.bias)
    let (rows, d, groups) = (a.share.shape.rows, a.share.shape.features, a.share.shape.groups)
    let (g0, g1) = (a.share.groups.lowerBound, a.share.groups.upperBound)
    let n = d / groups
    let eps = all(Float(a.weights.eps))
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
        let share = a.weights.shares[t]
        let begins = share == 1
        g = g0
        while g < g1 {
            var m = FloatPair(a.moments.mean, g, upTo: g1, of: groups, isZero: begins)
            var v = FloatPair(a.moments.variance, g, upTo: g1, of: groups, isZero: begins)
            let e = (load(mt, g, upTo: g1) - m.high) - m.low
            v.add(fma(all(1 - share) * e, e, (load(rt, g, upTo: g1) - v.high) - v.low) * share)
            m.add(e * share)
            m.write(a.moments.mean, g, upTo: g1, of: groups)
            v.write(a.moments.variance, g, upTo: g1, of: groups)
            store(mt, g, m.high, upTo: g1)
            store(rt, g, 1 / cs_sqrt(v.high + eps), upTo: g1)
            g &+= 16
        }
        normaliseGroups(y + t &* d, TimestepNormed(x: xt, weight: w, means: mt, scales: rt), b, n, a.share.groups)
        t &+= 1
    }
}

/// With A and B the gradients of a token's mean and variance, and (1 - a) e = u - mean behind the token:
///
///     dx = d r + (a A + 2 a B (x - mean)) / n    to t - 1: A - a A - 2 a B (u - mean), B - a B
func cumulativeNormBackward(_ a: CumulativeNormBackwardArguments) {
    let (dx, dy, w, forward) = (a.dx, a.dy, a.forward.weight, a.forward)
    let (dw, db) = (a.parameterGradients.weight, a.parameterGradients.bias)
    let (dmean, dvariance) = (a.momentGradients.mean, a.momentGradients.variance)
    let (rows, d, groups) = (a.share.shape.rows, a.share.shape.features, a.share.shape.groups)
    let (g0, g1) = (a.share.groups.lowerBound, a.share.groups.upperBound)
    let n = d / groups
    let sums = TimestepSums(a.scratch, groups)
    var t = rows &- 1
    while t >= 0 {
        let token = TimestepToken(
            x: forward.x + t &* d, dy: dy + t &* d, means: forward.means + t &* groups,
            scales: forward.scales + t &* groups, features: n, g0: g0, g1: g1)
        token.sum(w, dw, db, into: sums)
        let share = a.shares[t]
        let part = share / Float(n)
        var g = g0
        while g < g1 {
            let s = load(token.scales, g, upTo: g1)
            let m = load(token.means, g, upTo: g1)
            var dm = FloatPair(dmean, g, upTo: g1, of: groups, isZero: false)
            var dv = FloatPair(dvariance, g, upTo: g1, of: groups, isZero: false)
            dm.add(-(s * load(sums.ofGradient, g, upTo: g1)))
            dv.add(-(0.5 * s * s * s * load(sums.ofProduct, g, upTo: g1)))
            let (ofMean, ofVariance) = (dm.high, dv.high)
            let cross = 2 * ofVariance * (load(sums.mean, g, upTo: g1) - m)
            dm.add(-(ofMean + cross) * share)
            dv.add(-ofVariance * share)
            if share == 1 {
                dm = FloatPair(dmean, g, upTo: g1, of: groups, isZero: true)
                dv = dm
            }
            dm.write(dmean, g, upTo: g1, of: groups)
            dv.write(dvariance, g, upTo: g1, of: groups)
            store(sums.ofGradient, g, ofMean * part, upTo: g1)
            store(sums.ofProduct, g, ofVariance * (2 * part), upTo: g1)
            store(sums.mean, g, m, upTo: g1)
            g &+= 16
        }
        token.spread(sums, w, to: dx + t &* d)
        t &-= 1
    }
}
