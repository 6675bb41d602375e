import CSIMD

/// y = softmax of each row of n features; row strides. y may be x.
func softmaxRows(_ y: MP, _ ldy: Int, _ x: P, _ ldx: Int, _ rows: Int, _ n: Int) {
    var t = 0
    while t < rows {
        let xt = x + t &* ldx
        let yt = y + t &* ldy
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

/// dx = y (dy - sum y dy) for each row of n features; added to dx when `add`.
func softmaxRowsBackward(
    _ dx: MP, _ lddx: Int, _ dy: P, _ lddy: Int, _ y: P, _ ldy: Int, _ rows: Int, _ n: Int, _ add: Bool
) {
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

/// A tile of causal attention scores becomes e^(s - top) in place. Row t of s [rows, ld] sees its first `seen + t` columns
/// (at most `cols`); the rest become 0. `top` and `total` [rows] receive the row's maximum and the sum of exponentials; a row
/// without anything visible becomes 0 and keeps total 0. What the row multiplies is divided by the total afterwards (`divideRows`).
func causalExponentials(_ s: MP, _ ld: Int, _ rows: Int, _ cols: Int, _ seen: Int, _ top: MP, _ total: MP) {
    var t = 0
    while t < rows {
        let x = s + t &* ld
        let n = min(cols, seen &+ t)
        let m = rowMax(x, n)
        let shift = all(m)
        var a = V.zero
        var i = 0
        while i < n {
            var e = vexp(load(x, i, upTo: n) - shift)
            if n &- i < 16 { e = clear(e, from: n &- i) }
            if m == -.infinity { e = .zero }
            store(x, i, e, upTo: n)
            a += e
            i &+= 16
        }
        top[t] = m
        total[t] = cs_hsum(a)
        zero(x, n, cols)
        t &+= 1
    }
}

/// y[t] *= 1 / total[t] for rows of n features; 0 where the total is 0.
func divideRows(_ y: MP, _ ldy: Int, _ total: P, _ rows: Int, _ n: Int) {
    var t = 0
    while t < rows {
        let o = y + t &* ldy
        let c = all(total[t] > 0 ? 1 / total[t] : 0)
        var i = 0
        while i < n {
            store(o, i, load(o, i, upTo: n) * c, upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

@inline(always) func zero(_ x: MP, _ from: Int, _ to: Int) {
    var i = from
    while i < to {
        store(x, i, .zero, upTo: to)
        i &+= 16
    }
}

/// Scores s and dP [rows, ld] become, in place, the probabilities P = exp(s - top) / total and dS = P (dP - delta).
/// Visibility as in `causalExponentials` (`seen` may be negative); both are 0 outside it.
func causalSoftmaxBackward(
    _ s: MP, _ dp: MP, _ ld: Int, _ rows: Int, _ cols: Int, _ seen: Int, _ top: P, _ total: P, _ delta: P
) {
    var t = 0
    while t < rows {
        let x = s + t &* ld
        let g = dp + t &* ld
        let n = max(0, min(cols, seen &+ t))
        let m = all(total[t] > 0 ? top[t] : 0)
        let c = all(total[t] > 0 ? 1 / total[t] : 0)
        let e = all(delta[t])
        var i = 0
        while i < n {
            let p = vexp(load(x, i, upTo: n) - m) * c
            store(x, i, p, upTo: n)
            store(g, i, p * (load(g, i, upTo: n) - e), upTo: n)
            i &+= 16
        }
        zero(x, n, cols)
        zero(g, n, cols)
        t &+= 1
    }
}

/// delta[t] = sum of x[t] y[t] over n features; row strides.
func rowDots(_ delta: MP, _ x: P, _ ldx: Int, _ y: P, _ ldy: Int, _ rows: Int, _ n: Int) {
    var t = 0
    while t < rows {
        delta[t] = dot(x + t &* ldx, y + t &* ldy, n)
        t &+= 1
    }
}

/// s[t][j] = -infinity where the documents differ: `mine` [rows], `theirs` [cols].
func maskDocuments(
    _ s: MP, _ ld: Int, _ rows: Int, _ cols: Int, _ mine: UnsafePointer<Int32>, _ theirs: UnsafePointer<Int32>
) {
    var t = 0
    while t < rows {
        let x = s + t &* ld
        let own = mine[t]
        var j = 0
        while j < cols {
            if theirs[j] != own { x[j] = -.infinity }
            j &+= 1
        }
        t &+= 1
    }
}

/// Softmax over time of k [rows, n] (a lane is a feature): w = exp(k - lse), lse [n] the log-sum-exp over the rows.
func softmaxColumns(_ w: MP, _ ldw: Int, _ lse: MP, _ k: P, _ ldk: Int, _ rows: Int, _ n: Int) {
    var i = 0
    while i < n {
        var m = load(k, i, upTo: n)
        var t = 1
        while t < rows {
            m = cs_max(m, load(k + t &* ldk, i, upTo: n))
            t &+= 1
        }
        var s = V.zero
        t = 0
        while t < rows {
            let e = vexp(load(k + t &* ldk, i, upTo: n) - m)
            s += e
            store(w + t &* ldw, i, e, upTo: n)
            t &+= 1
        }
        let c = 1 / s
        t = 0
        while t < rows {
            let o = w + t &* ldw
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
func softmaxColumnsBackward(
    _ dk: MP, _ lddk: Int, _ dw: P, _ lddw: Int, _ w: P, _ ldw: Int, _ ds: P, _ rows: Int, _ n: Int
) {
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
