import CSIMD
import KernelInterface

// The affine views of z, four or two (GECKO.md, Block; MEGALODON.md): view_j = zhat (1 + Gamma_j) / sqrt(dz) + Beta_j
// with zhat = z r per head, and the rotation of the first rope heads' pairs.

/// r [rows, heads]: r = (mean over the head's features of z^2 + eps)^(-1/2).
func headScales(_ r: MP, _ z: FloatRows, _ shape: GroupedShape, _ eps: Float) {
    let (rows, heads) = (shape.rows, shape.groups)
    let n = shape.features / heads
    var t = 0
    while t < rows {
        var h = 0
        while h < heads {
            let zh = z.base + (t &* z.stride &+ h &* n)
            r[t &* heads &+ h] = rsqrt(dot(zh, zh, n) / Float(n) + eps)
            h &+= 1
        }
        t &+= 1
    }
}

/// z [rows, ldz], r [rows, heads], gamma and beta [4, Z] or [2, Z]; q, k, aq, ak [rows, Z].
func queriesAndKeys(_ a: QueryViewsArguments) {
    if let aq = a.views.memoryQ, let ak = a.views.memoryK {
        writeViews(a, (aq, ak))
    } else {
        writeViews(a, nil)
    }
}

/// Made for each number of views, so that none is asked for within the loops.
@inline(always) func writeViews(_ a: QueryViewsArguments, _ memory: (q: MP, k: MP)?) {
    let (q, k) = (a.views.q, a.views.k)
    let (z, ldz, r, gamma, beta) = (a.z.base, a.z.stride, a.scales, a.gamma, a.beta)
    let (rows, Z, heads) = (a.shape.rows, a.shape.features, a.shape.groups)
    let n = Z / heads
    let c = all(1 / Float(n).squareRoot())
    var t = 0
    while t < rows {
        var h = 0
        while h < heads {
            let o = h &* n
            let end = o &+ n
            let s = r[t &* heads &+ h]
            let zt = z + t &* ldz
            let out = t &* Z
            var i = o
            while i < end {
                let v = load(zt, i, upTo: end) * s * c
                store(q + out, i, fma(v, 1 + load(gamma, i, upTo: end), load(beta, i, upTo: end)), upTo: end)
                store(k + out, i, fma(v, 1 + load(gamma + Z, i, upTo: end), load(beta + Z, i, upTo: end)), upTo: end)
                if let memory {
                    store(
                        memory.q + out, i,
                        fma(v, 1 + load(gamma + 2 &* Z, i, upTo: end), load(beta + 2 &* Z, i, upTo: end)), upTo: end)
                    store(
                        memory.k + out, i,
                        fma(v, 1 + load(gamma + 3 &* Z, i, upTo: end), load(beta + 3 &* Z, i, upTo: end)), upTo: end)
                }
                i &+= 16
            }
            h &+= 1
        }
        t &+= 1
    }
}

/// dzhat [rows, Z] from the views' gradients.
func queryViewsBackward(_ a: QueryViewsBackwardArguments) {
    guard let daq = a.views.memoryQ, let dak = a.views.memoryK else { return sumTwoViews(a) }
    let (dz, gamma) = (a.dz, a.gamma)
    let (dq, dk) = (a.views.q, a.views.k)
    let (rows, Z, heads) = (a.shape.rows, a.shape.features, a.shape.groups)
    let c = all(1 / Float(Z / heads).squareRoot())
    var t = 0
    while t < rows {
        let o = t &* Z
        var i = 0
        while i < Z {
            var v = load(dq + o, i, upTo: Z) * (1 + load(gamma, i, upTo: Z))
            v = fma(load(dk + o, i, upTo: Z), 1 + load(gamma + Z, i, upTo: Z), v)
            v = fma(load(daq + o, i, upTo: Z), 1 + load(gamma + 2 &* Z, i, upTo: Z), v)
            v = fma(load(dak + o, i, upTo: Z), 1 + load(gamma + 3 &* Z, i, upTo: Z), v)
            store(dz + o, i, v * c, upTo: Z)
            i &+= 16
        }
        t &+= 1
    }
}

/// The same where there is no memory. A loop for both would spill registers.
@inline(never) func sumTwoViews(_ a: QueryViewsBackwardArguments) {
    let (dz, gamma) = (a.dz, a.gamma)
    let (dq, dk) = (a.views.q, a.views.k)
    let (rows, Z, heads) = (a.shape.rows, a.shape.features, a.shape.groups)
    let c = all(1 / Float(Z / heads).squareRoot())
    var t = 0
    while t < rows {
        let o = t &* Z
        var i = 0
        while i < Z {
            let v = load(dq + o, i, upTo: Z) * (1 + load(gamma, i, upTo: Z))
            store(dz + o, i, fma(load(dk + o, i, upTo: Z), 1 + load(gamma + Z, i, upTo: Z), v) * c, upTo: Z)
            i &+= 16
        }
        t &+= 1
    }
}

/// dbeta[c] += sum of d[c], dgamma[c] += sum of d[c] zhat[c] / sqrt(dz) for one view's gradient d [rows, Z] and the
/// columns c0..<c1.
func queryViewWeight(_ a: QueryViewWeightArguments) {
    let (dgamma, dbeta, d) = (a.dgamma, a.dbeta, a.dview)
    let (z, ldz, r) = (a.z.base, a.z.stride, a.scales)
    let (rows, Z, heads) = (a.shape.rows, a.shape.features, a.shape.groups)
    let (c0, c1) = (a.columns.lowerBound, a.columns.upperBound)
    let n = Z / heads
    let c = 1 / Float(n).squareRoot()
    var i = c0
    while i < c1 {
        let h = i / n
        let end = min(c1, (h &+ 1) &* n, i &+ 16)
        var sum = V.zero
        var b = load(dbeta, i, upTo: end)
        var t = 0
        while t < rows {
            let v = load(d + t &* Z, i, upTo: end)
            sum = fma(v, load(z + t &* ldz, i, upTo: end) * r[t &* heads &+ h], sum)
            b += v
            t &+= 1
        }
        store(dgamma, i, fma(sum, all(c), load(dgamma, i, upTo: end)), upTo: end)
        store(dbeta, i, b, upTo: end)
        i = end
    }
}

/// z [rows, n], gamma and beta [2, n]; q, k [rows, n].
func affineViews(_ a: AffineViewsArguments) {
    let (q, k, z, gamma, beta) = (a.q, a.k, a.z, a.gamma, a.beta)
    let (rows, n) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let qt = q.base + t &* q.stride
        let kt = k.base + t &* k.stride
        let zt = z.base + t &* z.stride
        var i = 0
        while i < n {
            let v = load(zt, i, upTo: n)
            store(qt, i, fma(v, load(gamma, i, upTo: n), load(beta, i, upTo: n)), upTo: n)
            store(kt, i, fma(v, load(gamma + n, i, upTo: n), load(beta + n, i, upTo: n)), upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// dz [rows, n] from the gradients of both views.
func affineViewsBackward(_ a: AffineViewsBackwardArguments) {
    let (dz, dq, dk, gamma) = (a.dz, a.dq, a.dk, a.gamma)
    let (rows, n) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let o = dz.base + t &* dz.stride
        let qt = dq.base + t &* dq.stride
        let kt = dk.base + t &* dk.stride
        var i = 0
        while i < n {
            let v = load(qt, i, upTo: n) * load(gamma, i, upTo: n)
            store(o, i, fma(load(kt, i, upTo: n), load(gamma + n, i, upTo: n), v), upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// Rotates the first `heads` heads of x [rows, ld] in place. cosine and sine [rows, n] repeat each angle for both
/// members of a pair, the sine with signs (-, +); direction -1 turns back.
func rotate(_ a: RotateArguments) {
    let (x, ld, cosine, sine, direction) = (
        a.x.base, a.x.stride, a.angles.cosines, a.angles.sines, a.direction
    )
    let (rows, n, heads) = (a.rows, a.features, a.heads)
    var t = 0
    while t < rows {
        let ct = cosine + t &* n
        let st = sine + t &* n
        var h = 0
        while h < heads {
            let xt = x + (t &* ld &+ h &* n)
            var i = 0
            while i < n {
                let v = load(xt, i, upTo: n)
                let s = load(st, i, upTo: n) * direction
                store(xt, i, fma(cs_swap_pairs(v), s, v * load(ct, i, upTo: n)), upTo: n)
                i &+= 16
            }
            h &+= 1
        }
        t &+= 1
    }
}

var queryKernels: QueryKernels {
    QueryKernels(
        headScales: headScales, queriesAndKeys: queriesAndKeys, queryViewsBackward: queryViewsBackward,
        queryViewWeight: queryViewWeight, affineViews: affineViews, affineViewsBackward: affineViewsBackward,
        rotate: rotate)
}
