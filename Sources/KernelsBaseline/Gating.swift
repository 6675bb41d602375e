import KernelInterface

/// x[t] += b in place, then y[t] = silu(x[t]); [rows, cols] with row strides. `b` may be nil.
func biasSilu(_ a: BiasSiluArguments) {
    let (x, b, y) = (a.x, a.bias, a.y)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let xt = x.base + t &* x.stride
        let yt = y.base + t &* y.stride
        var i = 0
        while i < cols {
            var v = load(xt, i, upTo: cols)
            if let b {
                v += load(b, i, upTo: cols)
                store(xt, i, v, upTo: cols)
            }
            store(yt, i, v * sigmoid(v), upTo: cols)
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
func siluBackward(_ a: SiluBackwardArguments) {
    let (dx, dy, x) = (a.dx, a.dy, a.x)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let o = dx.base + t &* dx.stride
        let g = dy.base + t &* dy.stride
        let xt = x.base + t &* x.stride
        var i = 0
        while i < cols {
            store(o, i, load(g, i, upTo: cols) * siluSlope(load(xt, i, upTo: cols)), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// SwiGLU: h[t] = silu(a[t, 0..<n]) * a[t, n..<2n]; a [rows, 2n], h [rows, n].
func swiglu(_ h: MP, _ a: P, _ extent: Extent) {
    let (rows, n) = (extent.rows, extent.columns)
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
func swigluBackward(_ a: SwigluBackwardArguments) {
    let (da, dh) = (a.da, a.dh)
    let (rows, n) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let x = a.a + t &* (2 &* n)
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

/// mix[t] = sca[t] * silu(r[t]) + awm[t], without awm where there is no memory; r with a row stride (pre-activation),
/// the others [rows, cols].
func gatedMix(_ a: GatedMixArguments) {
    if let recalled = a.recalled { mixGated(a, recalled) } else { mixGated(a, nil) }
}

/// Made for either case, so that the loop doesn't ask.
@inline(always) func mixGated(_ a: GatedMixArguments, _ awm: P?) {
    let (mix, sca, r) = (a.mix, a.attended, a.gate)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let rt = r.base + t &* r.stride
        let k = t &* cols
        var i = 0
        while i < cols {
            let u = load(rt, i, upTo: cols)
            let (attended, gate) = (load(sca + k, i, upTo: cols), u * sigmoid(u))
            let v = if let awm { fma(attended, gate, load(awm + k, i, upTo: cols)) } else { attended * gate }
            store(mix + k, i, v, upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// dsca = dmix * silu(r), dr = dmix * sca * silu'(r); r and dr with row strides.
func gatedMixBackward(_ a: GatedMixBackwardArguments) {
    let (dsca, dr, dmix, sca, r) = (a.dattended, a.dgate, a.dmix, a.attended, a.gate)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let rt = r.base + t &* r.stride
        let ot = dr.base + t &* dr.stride
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

/// y[t] = x[t] + sigmoid(gate[t]) (silu(c[t]) - x[t]); [rows, cols] with row strides.
func gatedResidual(_ a: GatedResidualArguments) {
    let (y, x, gate, c) = (a.y, a.inputs.x, a.inputs.gate, a.inputs.candidate)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let yt = y.base + t &* y.stride
        let xt = x.base + t &* x.stride
        let gt = gate.base + t &* gate.stride
        let ct = c.base + t &* c.stride
        var i = 0
        while i < cols {
            let v = load(xt, i, upTo: cols)
            let w = load(ct, i, upTo: cols)
            store(yt, i, fma(sigmoid(load(gt, i, upTo: cols)), fma(w, sigmoid(w), -v), v), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// dx = dy (1 - u), dgate = dy (silu(c) - x) u (1 - u), dc = dy u silu'(c).
func gatedResidualBackward(_ a: GatedResidualBackwardArguments) {
    let (dx, dgate, dc, dy) = (a.dx, a.dgate, a.dcandidate, a.dy)
    let (x, gate, c) = (a.forward.x, a.forward.gate, a.forward.candidate)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        var i = 0
        while i < cols {
            let d = load(dy.base + t &* dy.stride, i, upTo: cols)
            let u = sigmoid(load(gate.base + t &* gate.stride, i, upTo: cols))
            let w = load(c.base + t &* c.stride, i, upTo: cols)
            let s = sigmoid(w)
            let kept = d * (1 - u)
            let v = fma(w, s, -load(x.base + t &* x.stride, i, upTo: cols))
            store(dx.base + t &* dx.stride, i, kept, upTo: cols)
            store(dgate.base + t &* dgate.stride, i, kept * u * v, upTo: cols)
            store(dc.base + t &* dc.stride, i, d * u * (s * fma(w, 1 - s, all(1))), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

var gatingKernels: GatingKernels {
    GatingKernels(
        biasSilu: biasSilu, siluBackward: siluBackward, swiglu: swiglu, swigluBackward: swigluBackward,
        gatedMix: gatedMix, gatedMixBackward: gatedMixBackward, gatedResidual: gatedResidual,
        gatedResidualBackward: gatedResidualBackward)
}
