import CSIMD

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
func timestepNorm(
    _ y: MP, _ mhat: MP, _ r: MP, _ mean: MP, _ variance: MP, _ x: P, _ w: P, _ b: P, _ c1: P, _ c2: P,
    _ reset: UnsafePointer<UInt8>, _ rows: Int, _ d: Int, _ groups: Int, _ g0: Int, _ g1: Int, _ beta1: Double,
    _ beta2: Double, _ eps: Float
) {
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
        normaliseGroups(y + t &* d, xt, mt, rt, w, b, n, g0, g1)
        t &+= 1
    }
}

/// One token's y = (x - m) r (1 + w) + b.
@inline(always) func normaliseGroups(
    _ y: MP, _ x: P, _ m: P, _ r: P, _ w: P, _ b: P, _ n: Int, _ g0: Int, _ g1: Int
) {
    var g = g0
    while g < g1 {
        let s = r[g]
        let m = m[g]
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
func timestepNormAgain(
    _ y: MP, _ x: P, _ mhat: P, _ r: P, _ w: P, _ b: P, _ rows: Int, _ d: Int, _ groups: Int
) {
    var t = 0
    while t < rows {
        normaliseGroups(y + t &* d, x + t &* d, mhat + t &* groups, r + t &* groups, w, b, d / groups, 0, groups)
        t &+= 1
    }
}

/// dx [rows, d]; dmean, dvariance [groups]: gradients of the state handed on, in; of the state received, out. dw, db [d] are added
/// to. `scratch` holds 4 x groups floats (any worker may use its own groups' part of it).
func timestepNormBackward(
    _ dx: MP, _ dw: MP, _ db: MP, _ dmean: MP, _ dvariance: MP, _ dy: P, _ x: P, _ mhat: P, _ r: P, _ w: P, _ c1: P,
    _ c2: P, _ reset: UnsafePointer<UInt8>, _ rows: Int, _ d: Int, _ groups: Int, _ g0: Int, _ g1: Int,
    _ beta1: Double, _ beta2: Double, _ scratch: MP
) {
    let n = d / groups
    let b1 = all(Float(beta1))
    let b2 = all(Float(beta2))
    let a1 = all(Float((1 - beta1) / Double(n)))
    let a2 = all(Float(2 * (1 - beta2) / Double(n)))
    let s1 = scratch
    let s2 = scratch + groups
    let u = scratch + 2 &* groups
    var t = rows &- 1
    while t >= 0 {
        let xt = x + t &* d
        let gt = dy + t &* d
        let mt = mhat + t &* groups
        let rt = r + t &* groups
        var g = g0
        while g < g1 {
            let m = mt[g]
            let s = rt[g]
            let start = g &* n
            let end = start &+ n
            var i = start
            if n >= 16 {
                var p1 = V.zero
                var p2 = V.zero
                var p3 = V.zero
                while i < end {
                    let xv = load(xt, i, upTo: end)
                    let gv = load(gt, i, upTo: end)
                    let e = gv * (1 + load(w, i, upTo: end))
                    let c = xv - m
                    p1 += e
                    p2 = fma(e, c, p2)
                    p3 += xv
                    store(dw, i, fma(gv, c * s, load(dw, i, upTo: end)), upTo: end)
                    store(db, i, load(db, i, upTo: end) + gv, upTo: end)
                    i &+= 16
                }
                s1[g] = cs_hsum(p1)
                s2[g] = cs_hsum(p2)
                u[g] = cs_hsum(p3) / Float(n)
            } else {
                var p1: Float = 0
                var p2: Float = 0
                var p3: Float = 0
                while i < end {
                    let c = xt[i] - m
                    let e = gt[i] * (1 + w[i])
                    p1 += e
                    p2 += e * c
                    p3 += xt[i]
                    dw[i] += gt[i] * c * s
                    db[i] += gt[i]
                    i &+= 1
                }
                s1[g] = p1
                s2[g] = p2
                u[g] = p3 / Float(n)
            }
            g &+= 1
        }
        let k1 = all(c1[t])
        let k2 = all(0.5 * c2[t])
        let keep = all(reset[t] == 0 ? 1 : 0)
        g = g0
        while g < g1 {
            let s = load(rt, g, upTo: g1)
            let a = fma(-(s * load(s1, g, upTo: g1)), k1, load(dmean, g, upTo: g1))
            let b = fma(-(s * s * s * load(s2, g, upTo: g1)), k2, load(dvariance, g, upTo: g1))
            store(s1, g, a * a1, upTo: g1)
            store(s2, g, b * a2, upTo: g1)
            store(dmean, g, a * b1 * keep, upTo: g1)
            store(dvariance, g, b * b2 * keep, upTo: g1)
            g &+= 16
        }
        let ot = dx + t &* d
        g = g0
        while g < g1 {
            let s = rt[g]
            let ca = s1[g]
            let cb = s2[g]
            let ug = u[g]
            var i = g &* n
            let end = i &+ n
            if n >= 16 {
                while i < end {
                    let e = load(gt, i, upTo: end) * (1 + load(w, i, upTo: end))
                    store(ot, i, fma(all(cb), load(xt, i, upTo: end) - ug, fma(e, all(s), all(ca))), upTo: end)
                    i &+= 16
                }
            } else {
                while i < end {
                    ot[i] = gt[i] * (1 + w[i]) * s + ca + cb * (xt[i] - ug)
                    i &+= 1
                }
            }
            g &+= 1
        }
        t &-= 1
    }
}
