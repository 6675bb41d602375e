/// y += x.
func addTo(_ y: MP, _ x: P, _ n: Int) {
    var i = 0
    while i < n {
        store(y, i, load(y, i, upTo: n) + load(x, i, upTo: n), upTo: n)
        i &+= 16
    }
}

/// y = s x.
func scaled(_ y: MP, _ x: P, _ s: Float, _ n: Int) {
    var i = 0
    while i < n {
        store(y, i, all(s) * load(x, i, upTo: n), upTo: n)
        i &+= 16
    }
}

/// y[t] = x[t] + b; x, y [rows, cols] with row strides, b [cols].
func addRow(_ y: MP, _ ldy: Int, _ x: P, _ ldx: Int, _ b: P, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        let yt = y + t &* ldy
        let xt = x + t &* ldx
        var i = 0
        while i < cols {
            store(yt, i, load(xt, i, upTo: cols) + load(b, i, upTo: cols), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// y[t] = x[t] * w; x, y [rows, cols] contiguous, w [cols].
func multiplyRow(_ y: MP, _ x: P, _ w: P, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        let yt = y + t &* cols
        let xt = x + t &* cols
        var i = 0
        while i < cols {
            store(yt, i, load(xt, i, upTo: cols) * load(w, i, upTo: cols), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// y[t] += x[t] * w.
func addMultipliedRow(_ y: MP, _ x: P, _ w: P, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        let yt = y + t &* cols
        let xt = x + t &* cols
        var i = 0
        while i < cols {
            store(yt, i, fma(load(xt, i, upTo: cols), load(w, i, upTo: cols), load(yt, i, upTo: cols)), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// out += sum over rows of x; x [rows, cols] with row stride `ld`.
func columnSums(_ x: P, _ rows: Int, _ cols: Int, _ ld: Int, _ out: MP) {
    var i = 0
    while i < cols {
        var a = load(out, i, upTo: cols)
        var t = 0
        while t < rows {
            a += load(x + t &* ld, i, upTo: cols)
            t &+= 1
        }
        store(out, i, a, upTo: cols)
        i &+= 16
    }
}

/// out += sum over rows of x * y; both [rows, cols] with row stride `ld`.
func columnDots(_ x: P, _ y: P, _ rows: Int, _ cols: Int, _ ld: Int, _ out: MP) {
    var i = 0
    while i < cols {
        var a = load(out, i, upTo: cols)
        var t = 0
        while t < rows {
            a = fma(load(x + t &* ld, i, upTo: cols), load(y + t &* ld, i, upTo: cols), a)
            t &+= 1
        }
        store(out, i, a, upTo: cols)
        i &+= 16
    }
}

/// x[t] += b in place, then y[t] = silu(x[t]); [rows, cols] with row strides. `b` may be nil.
func biasSilu(_ x: MP, _ ldx: Int, _ b: P?, _ y: MP, _ ldy: Int, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        let xt = x + t &* ldx
        let yt = y + t &* ldy
        var i = 0
        while i < cols {
            var a = load(xt, i, upTo: cols)
            if let b {
                a += load(b, i, upTo: cols)
                store(xt, i, a, upTo: cols)
            }
            store(yt, i, a * sigmoid(a), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// silu'(x) = s (1 + x (1 - s)), s = sigmoid(x).
@inline(always) func siluSlope(_ x: V) -> V {
    let s = sigmoid(x)
    return s * fma(x, 1 - s, all(1))
}

/// dx[t] = dy[t] * silu'(x[t]); [rows, cols] with row strides. dx may be dy.
func siluBackward(_ dx: MP, _ lddx: Int, _ dy: P, _ lddy: Int, _ x: P, _ ldx: Int, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        let o = dx + t &* lddx
        let g = dy + t &* lddy
        let xt = x + t &* ldx
        var i = 0
        while i < cols {
            store(o, i, load(g, i, upTo: cols) * siluSlope(load(xt, i, upTo: cols)), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// SwiGLU: h[t] = silu(a[t, 0..<n]) * a[t, n..<2n]; a [rows, 2n], h [rows, n].
func swiglu(_ h: MP, _ a: P, _ rows: Int, _ n: Int) {
    var t = 0
    while t < rows {
        let x = a + t &* (2 &* n)
        let ht = h + t &* n
        var i = 0
        while i < n {
            let u = load(x, i, upTo: n)
            store(ht, i, u * sigmoid(u) * load(x + n, i, upTo: n), upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// da[t] = (dh * a3 * silu'(a1), dh * silu(a1)) for a = (a1, a3) [rows, 2n].
func swigluBackward(_ da: MP, _ dh: P, _ a: P, _ rows: Int, _ n: Int) {
    var t = 0
    while t < rows {
        let x = a + t &* (2 &* n)
        let o = da + t &* (2 &* n)
        let g = dh + t &* n
        var i = 0
        while i < n {
            let u = load(x, i, upTo: n)
            let d = load(g, i, upTo: n)
            let s = sigmoid(u)
            store(o, i, d * load(x + n, i, upTo: n) * (s * fma(u, 1 - s, all(1))), upTo: n)
            store(o + n, i, d * u * s, upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// mix[t] = sca[t] * silu(r[t]) + awm[t]; r with row stride `ldr` (pre-activation), the others [rows, cols].
func gatedMix(_ mix: MP, _ sca: P, _ r: P, _ ldr: Int, _ awm: P, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        let rt = r + t &* ldr
        let k = t &* cols
        var i = 0
        while i < cols {
            let u = load(rt, i, upTo: cols)
            let v = fma(load(sca + k, i, upTo: cols), u * sigmoid(u), load(awm + k, i, upTo: cols))
            store(mix + k, i, v, upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// dsca = dmix * silu(r), dr = dmix * sca * silu'(r); r and dr with row strides.
func gatedMixBackward(
    _ dsca: MP, _ dr: MP, _ lddr: Int, _ dmix: P, _ sca: P, _ r: P, _ ldr: Int, _ rows: Int, _ cols: Int
) {
    var t = 0
    while t < rows {
        let rt = r + t &* ldr
        let ot = dr + t &* lddr
        let k = t &* cols
        var i = 0
        while i < cols {
            let u = load(rt, i, upTo: cols)
            let s = sigmoid(u)
            let d = load(dmix + k, i, upTo: cols)
            store(dsca + k, i, d * u * s, upTo: cols)
            store(ot, i, d * load(sca + k, i, upTo: cols) * (s * fma(u, 1 - s, all(1))), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// y[t] = s x[id[t]]; x [_, cols], y [rows, cols].
func gatherRows(_ y: MP, _ x: P, _ id: UnsafePointer<Int32>, _ s: Float, _ rows: Int, _ cols: Int) {
    var t = 0
    while t < rows {
        scaledRow(y + t &* cols, x + Int(id[t]) &* cols, s, 0, cols)
        t &+= 1
    }
}

@inline(always) func scaledRow(_ y: MP, _ x: P, _ s: Float, _ c0: Int, _ c1: Int) {
    var i = c0
    while i < c1 {
        store(y, i, all(s) * load(x, i, upTo: c1), upTo: c1)
        i &+= 16
    }
}

/// dx[id[t]] += s dy[t], t ascending, for the columns c0..<c1 only (so that workers share columns, not rows).
func scatterRows(
    _ dx: MP, _ dy: P, _ id: UnsafePointer<Int32>, _ s: Float, _ rows: Int, _ cols: Int, _ c0: Int, _ c1: Int
) {
    var t = 0
    while t < rows {
        let o = dx + Int(id[t]) &* cols
        let g = dy + t &* cols
        var i = c0
        while i < c1 {
            store(o, i, fma(all(s), load(g, i, upTo: c1), load(o, i, upTo: c1)), upTo: c1)
            i &+= 16
        }
        t &+= 1
    }
}
