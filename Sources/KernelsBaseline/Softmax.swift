import CSIMD
import KernelInterface

/// y = softmax of each row of n features; row strides. y may be x.
func softmaxRows(_ y: MutableFloatRows, _ x: FloatRows, _ extent: Extent) {
    let (rows, n) = (extent.rows, extent.columns)
    var t = 0
    while t < rows {
        let xt = x.base + t &* x.stride
        let yt = y.base + t &* y.stride
        let m = all(rowMax(xt, n))
        var s = V.zero
        var i = 0
        while i < n {
            var e = vexp(load(xt, i, upTo: n) - m)
            if n &- i < 16 { e = clear(e, from: n &- i) }
            store(yt, i, e, upTo: n)
            s += e
            i &+= 16
        }
        let c = all(1 / cs_hsum(s))
        i = 0
        while i < n {
            store(yt, i, load(yt, i, upTo: n) * c, upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// dx = y (dy - sum y dy) for each row of n features; added to dx when `adds`.
func softmaxRowsBackward(_ a: SoftmaxRowsBackwardArguments) {
    let (rows, n) = (a.extent.rows, a.extent.columns)
    let (dy, lddy) = (a.dy.base, a.dy.stride)
    let (dx, lddx) = (a.dx.base, a.dx.stride)
    let (y, ldy, add) = (a.y.base, a.y.stride, a.adds)
    var t = 0
    while t < rows {
        let o = dx + t &* lddx
        let g = dy + t &* lddy
        let yt = y + t &* ldy
        let c = all(dot(g, yt, n))
        var i = 0
        while i < n {
            var v = load(yt, i, upTo: n) * (load(g, i, upTo: n) - c)
            if add { v += load(o, i, upTo: n) }
            store(o, i, v, upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

@inline(always) func rowMax(_ x: P, _ n: Int) -> Float {
    if n < 16 {
        var m = x[0]
        var i = 1
        while i < n {
            if x[i] > m { m = x[i] }
            i &+= 1
        }
        return m
    }
    var m = load(x, 0)
    var i = 16
    while i &+ 16 <= n {
        m = cs_max(m, load(x, i))
        i &+= 16
    }
    // The last 16 overlap the ones before: a maximum may be taken twice.
    return cs_hmax(cs_max(m, load(x, n &- 16)))
}

/// Softmax over time of k [rows, n] (a lane is a feature): w = exp(k - lse), lse [n] the log-sum-exp over the rows.
func softmaxColumns(_ w: MutableFloatRows, _ lse: MP, _ k: FloatRows, _ extent: Extent) {
    let (rows, n) = (extent.rows, extent.columns)
    var i = 0
    while i < n {
        var m = load(k.base, i, upTo: n)
        var t = 1
        while t < rows {
            m = cs_max(m, load(k.base + t &* k.stride, i, upTo: n))
            t &+= 1
        }
        var s = V.zero
        t = 0
        while t < rows {
            let e = vexp(load(k.base + t &* k.stride, i, upTo: n) - m)
            s += e
            store(w.base + t &* w.stride, i, e, upTo: n)
            t &+= 1
        }
        let c = 1 / s
        t = 0
        while t < rows {
            let o = w.base + t &* w.stride
            store(o, i, load(o, i, upTo: n) * c, upTo: n)
            t &+= 1
        }
        var j = 0
        while j < min(16, n &- i) {
            lse[i &+ j] = m[j] + logarithm(s[j])
            j &+= 1
        }
        i &+= 16
    }
}

/// dk += w (dw - sum over time of w dw) + w ds; w, dw, dk [rows, n], ds [n] the gradient of the log-sum-exp.
func softmaxColumnsBackward(_ a: SoftmaxColumnsBackwardArguments) {
    let (dk, dw, w, ds) = (a.dx.base, a.dy.base, a.y.base, a.dlogSum)
    let (lddk, lddw, ldw) = (a.dx.stride, a.dy.stride, a.y.stride)
    let (rows, n) = (a.extent.rows, a.extent.columns)
    var i = 0
    while i < n {
        var c = -load(ds, i, upTo: n)
        var t = 0
        while t < rows {
            c = fma(load(w + t &* ldw, i, upTo: n), load(dw + t &* lddw, i, upTo: n), c)
            t &+= 1
        }
        t = 0
        while t < rows {
            let o = dk + t &* lddk
            let v = load(w + t &* ldw, i, upTo: n) * (load(dw + t &* lddw, i, upTo: n) - c)
            store(o, i, load(o, i, upTo: n) + v, upTo: n)
            t &+= 1
        }
        i &+= 16
    }
}

var softmaxKernels: SoftmaxKernels {
    SoftmaxKernels(
        softmaxRows: softmaxRows, softmaxRowsBackward: softmaxRowsBackward, softmaxColumns: softmaxColumns,
        softmaxColumnsBackward: softmaxColumnsBackward)
}
