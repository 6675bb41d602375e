import KernelInterface

/// y += x.
func addTo(_ y: MP, _ x: P, _ n: Int) {
    var i = 0
    while i < n {
        store(y, i, load(y, i, upTo: n) + load(x, i, upTo: n), upTo: n)
        i &+= 16
    }
}

/// y[t] = x[t] + b; x, y [rows, cols] with row strides, b [cols].
func addRow(_ y: MutableFloatRows, _ x: FloatRows, _ b: P, _ extent: Extent) {
    let (rows, cols) = (extent.rows, extent.columns)
    var t = 0
    while t < rows {
        let yt = y.base + t &* y.stride
        let xt = x.base + t &* x.stride
        var i = 0
        while i < cols {
            store(yt, i, load(xt, i, upTo: cols) + load(b, i, upTo: cols), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// y[t] += x[t] * w; x, y [rows, cols] with row strides, w [cols].
func addProductRow(_ y: MutableFloatRows, _ x: FloatRows, _ w: P, _ extent: Extent) {
    let (rows, cols) = (extent.rows, extent.columns)
    var t = 0
    while t < rows {
        let yt = y.base + t &* y.stride
        let xt = x.base + t &* x.stride
        var i = 0
        while i < cols {
            store(yt, i, fma(load(xt, i, upTo: cols), load(w, i, upTo: cols), load(yt, i, upTo: cols)), upTo: cols)
            i &+= 16
        }
        t &+= 1
    }
}

/// y[t] = x[t] * w; x, y [rows, cols] contiguous, w [cols].
func multiplyRow(_ y: MP, _ x: P, _ w: P, _ extent: Extent) {
    let (rows, cols) = (extent.rows, extent.columns)
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

/// out += sum over rows of x; x [rows, cols] with a row stride, out [cols].
func columnSums(_ x: FloatRows, _ extent: Extent, _ out: MP) {
    let (rows, cols) = (extent.rows, extent.columns)
    var i = 0
    while i < cols {
        var a = load(out, i, upTo: cols)
        var t = 0
        while t < rows {
            a += load(x.base + t &* x.stride, i, upTo: cols)
            t &+= 1
        }
        store(out, i, a, upTo: cols)
        i &+= 16
    }
}

/// out += sum over rows of x * y; both [rows, cols] with row strides, out [cols].
func columnDots(_ x: FloatRows, _ y: FloatRows, _ extent: Extent, _ out: MP) {
    let (rows, cols) = (extent.rows, extent.columns)
    var i = 0
    while i < cols {
        var a = load(out, i, upTo: cols)
        var t = 0
        while t < rows {
            a = fma(load(x.base + t &* x.stride, i, upTo: cols), load(y.base + t &* y.stride, i, upTo: cols), a)
            t &+= 1
        }
        store(out, i, a, upTo: cols)
        i &+= 16
    }
}

/// y[t] = s x[id[t]]; x [_, cols], y [rows, cols].
func gatherRows(_ a: GatherRowsArguments) {
    let (y, x, id, s) = (a.y, a.table, a.ids, a.scale)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
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
func scatterRows(_ a: ScatterRowsArguments) {
    let (dx, dy, id, s) = (a.table, a.rows, a.ids, a.scale)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    let (c0, c1) = (a.columns.lowerBound, a.columns.upperBound)
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

var elementwiseKernels: ElementwiseKernels {
    ElementwiseKernels(
        addTo: addTo, addRow: addRow, addProductRow: addProductRow, multiplyRow: multiplyRow,
        columnSums: columnSums, columnDots: columnDots, gatherRows: gatherRows, scatterRows: scatterRows)
}
