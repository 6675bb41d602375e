import CSIMD
import KernelInterface

/// A tile of causal attention scores becomes e^(s - top) in place. Row t of s [rows, cols] sees its first `seen + t`
/// columns (at most all); the rest become 0. `top` and `total` [rows] receive the row's maximum and the sum of
/// exponentials; a row without anything visible becomes 0 and keeps total 0. What the row multiplies is divided by the
/// total afterwards (`divideRows`).
func causalExponentials(_ a: CausalExponentialsArguments) {
    let (s, ld, top, total) = (a.scores.base, a.scores.stride, a.top, a.total)
    let (rows, cols, seen) = (a.extent.rows, a.extent.columns, a.seen)
    var t = 0
    while t < rows {
        let x = s + t &* ld
        let n = min(cols, seen &+ t)
        let m = rowMax(x, n)
        let shift = all(m)
        var sum = V.zero
        var i = 0
        while i < n {
            var e = vexp(load(x, i, upTo: n) - shift)
            if n &- i < 16 { e = clear(e, from: n &- i) }
            if m == -.infinity { e = .zero }
            store(x, i, e, upTo: n)
            sum += e
            i &+= 16
        }
        top[t] = m
        total[t] = cs_hsum(sum)
        zero(x, n, cols)
        t &+= 1
    }
}

/// More columns of rows that have been begun: e^(s - top) for the greater of both maxima, top and total moved on to it,
/// and in `factor` what the parts before are to be multiplied by. A row that sees nothing, or nothing but -infinity,
/// stays as it is.
func continueCausalExponentials(_ a: CausalExponentialsArguments, _ factor: MP) {
    let (s, ld, top, total) = (a.scores.base, a.scores.stride, a.top, a.total)
    let (rows, cols, seen) = (a.extent.rows, a.extent.columns, a.seen)
    var t = 0
    while t < rows {
        let x = s + t &* ld
        let n = max(0, min(cols, seen &+ t))
        let before = top[t]
        let own = n > 0 ? rowMax(x, n) : -.infinity
        let m = own > before ? own : before
        if m == -.infinity {
            factor[t] = 1
            zero(x, 0, cols)
            t &+= 1
            continue
        }
        let shift = all(m)
        var sum = V.zero
        var i = 0
        while i < n {
            var e = vexp(load(x, i, upTo: n) - shift)
            if n &- i < 16 { e = clear(e, from: n &- i) }
            store(x, i, e, upTo: n)
            sum += e
            i &+= 16
        }
        let c = own > before ? vexp(all(before) - shift)[0] : 1
        factor[t] = c
        top[t] = m
        total[t] = total[t] * c + cs_hsum(sum)
        zero(x, n, cols)
        t &+= 1
    }
}

/// y[t] *= factor[t] for rows of n features; a factor of 1 leaves a row alone.
func multiplyRows(_ y: MutableFloatRows, _ factor: P, _ extent: Extent) {
    let (rows, n) = (extent.rows, extent.columns)
    var t = 0
    while t < rows {
        if factor[t] != 1 {
            let o = y.base + t &* y.stride
            let c = all(factor[t])
            var i = 0
            while i < n {
                store(o, i, load(o, i, upTo: n) * c, upTo: n)
                i &+= 16
            }
        }
        t &+= 1
    }
}

/// y[t] *= 1 / total[t] for rows of n features; 0 where the total is 0.
func divideRows(_ y: MutableFloatRows, _ total: P, _ extent: Extent) {
    let (rows, n) = (extent.rows, extent.columns)
    var t = 0
    while t < rows {
        let o = y.base + t &* y.stride
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
func causalSoftmaxBackward(_ a: CausalSoftmaxBackwardArguments) {
    let (s, dp, ld, top, total, delta) = (a.scores, a.gradients, a.stride, a.top, a.total, a.delta)
    let (rows, cols, seen) = (a.extent.rows, a.extent.columns, a.seen)
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
func rowDots(_ delta: MP, _ x: FloatRows, _ y: FloatRows, _ extent: Extent) {
    let (rows, n) = (extent.rows, extent.columns)
    var t = 0
    while t < rows {
        delta[t] = dot(x.base + t &* x.stride, y.base + t &* y.stride, n)
        t &+= 1
    }
}

/// s[t][j] = -infinity where the documents differ: `mine` [rows], `theirs` [cols].
func maskDocuments(_ a: MaskDocumentsArguments) {
    let (s, ld) = (a.scores.base, a.scores.stride)
    let (mine, theirs) = (a.rowDocuments, a.columnDocuments)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
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

var attentionKernels: AttentionKernels {
    AttentionKernels(
        causalExponentials: causalExponentials, continueCausalExponentials: continueCausalExponentials,
        multiplyRows: multiplyRows, divideRows: divideRows, causalSoftmaxBackward: causalSoftmaxBackward,
        rowDots: rowDots, maskDocuments: maskDocuments)
}
