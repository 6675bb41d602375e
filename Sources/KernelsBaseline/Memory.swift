import CSIMD

// Working memory (GECKO.md, AWM absorb): rows are features of the key (dz), columns values (dv), contiguous.

/// out = M + rho (U - M), rho by row. out may be M.
func blendRows(_ out: MP, _ m: P, _ u: P, _ rho: P, _ rows: Int, _ cols: Int) {
    var i = 0
    while i < rows {
        let k = i &* cols
        var j = 0
        while j < cols {
            let a = load(m + k, j, upTo: cols)
            store(out + k, j, fma(all(rho[i]), load(u + k, j, upTo: cols) - a, a), upTo: cols)
            j &+= 16
        }
        i &+= 1
    }
}

/// e[i] = rho sum_j dM' (U - M); then dU = rho dM' and dM' becomes dM = (1 - rho) dM' in place. dU may be U.
func blendRowsBackward(_ e: MP, _ du: MP, _ dm: MP, _ m: P, _ u: P, _ rho: P, _ rows: Int, _ cols: Int) {
    var i = 0
    while i < rows {
        let k = i &* cols
        var a = V.zero
        var j = 0
        while j < cols {
            let g = load(dm + k, j, upTo: cols)
            a = fma(g, load(u + k, j, upTo: cols) - load(m + k, j, upTo: cols), a)
            store(du + k, j, g * rho[i], upTo: cols)
            store(dm + k, j, g * (1 - rho[i]), upTo: cols)
            j &+= 16
        }
        e[i] = rho[i] * cs_hsum(a)
        i &+= 1
    }
}
