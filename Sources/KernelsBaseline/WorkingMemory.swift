import CSIMD
import KernelInterface

// Working memory (GECKO.md, AWM absorb): rows are features of the key (dz), columns values (dv), contiguous.

/// out = M + rho (U - M), rho by row. out may be M.
func blendRows(_ a: BlendRowsArguments) {
    let (out, m, u, rho) = (a.out, a.memory, a.update, a.rho)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var i = 0
    while i < rows {
        let k = i &* cols
        var j = 0
        while j < cols {
            let v = load(m + k, j, upTo: cols)
            store(out + k, j, fma(all(rho[i]), load(u + k, j, upTo: cols) - v, v), upTo: cols)
            j &+= 16
        }
        i &+= 1
    }
}

/// e[i] = rho sum_j dM' (U - M); then dU = rho dM' and dM' becomes dM = (1 - rho) dM' in place. dU may be U.
func blendRowsBackward(_ a: BlendRowsBackwardArguments) {
    let (e, du, dm) = (a.dlogRho, a.dupdate, a.dmemory)
    let (m, u, rho) = (a.memory, a.update, a.rho)
    let (rows, cols) = (a.extent.rows, a.extent.columns)
    var i = 0
    while i < rows {
        let k = i &* cols
        var dots = V.zero
        var j = 0
        while j < cols {
            let g = load(dm + k, j, upTo: cols)
            dots = fma(g, load(u + k, j, upTo: cols) - load(m + k, j, upTo: cols), dots)
            store(du + k, j, g * rho[i], upTo: cols)
            store(dm + k, j, g * (1 - rho[i]), upTo: cols)
            j &+= 16
        }
        e[i] = rho[i] * cs_hsum(dots)
        i &+= 1
    }
}

var workingMemoryKernels: WorkingMemoryKernels {
    WorkingMemoryKernels(blendRows: blendRows, blendRowsBackward: blendRowsBackward)
}
