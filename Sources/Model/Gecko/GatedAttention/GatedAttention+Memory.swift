import Hardware
import Numerics

extension GatedAttention {
    /// What is kept of one slice for its backward: what costs matrix products or a scan. The rest is made again from it
    /// (`Derived`).
    struct Stash {
        let mhat, tr, entries, s, sr, zr, zs, keys, memoryKeys, values, vl, attended, top, total,
            memory: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            let T = g.length
            mhat = carver.take(T * c.normGroups)
            tr = carver.take(T * c.normGroups)
            entries = carver.take(g.tiles * 2 * c.emaDim * c.paddedDim)
            s = carver.take(T * c.dim)
            sr = carver.take(T * c.lnGroups)
            zr = carver.take(T * (c.zDim + c.valueDim))
            zs = carver.take(T * c.heads)
            // Of the window that the slice was entered with.
            keys = carver.take(g.window * c.zDim)
            memoryKeys = carver.take(g.window * c.zDim)
            values = carver.take(g.window * c.valueDim)
            vl = carver.take(T * c.valueDim)
            attended = carver.take(T * c.valueDim)
            top = carver.take(T * c.heads)
            total = carver.take(T * c.heads)
            memory = carver.take(c.workingMemory.stash(pieces: g.pieces))
        }

        var window: LayerState.Window { (keys, memoryKeys, values) }
    }

    /// What follows from a slice's input and its stash without a large matrix product: computed by the forward, and
    /// again by the backward with the same kernels and so to the same bits, which costs no more than to write it to
    /// memory and to fetch it.
    struct Derived {
        /// tn, mx [T, D]; q, aq [T, Z]; k, ak [n + T, Z] and v [n + T, E] with the window in front; what the memory
        /// gave and mix [T, E].
        let tn, mx, q, aq, k, ak, v, recalled, mix: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            let T = g.length
            let keys = g.window + T
            tn = carver.take(T * c.dim)
            mx = carver.take(T * c.dim)
            q = carver.take(T * c.zDim)
            aq = carver.take(T * c.zDim)
            k = carver.take(keys * c.zDim)
            ak = carver.take(keys * c.zDim)
            v = carver.take(keys * c.valueDim)
            recalled = carver.take(T * c.valueDim)
            mix = carver.take(T * c.valueDim)
        }
    }

    /// Upstream gradients of the linear maps.
    struct GradientStash {
        let dh, dzr, dvl: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            dh = carver.take(g.length * c.dim)
            dzr = carver.take(g.length * (c.zDim + c.valueDim))
            dvl = carver.take(g.length * c.valueDim)
        }
    }

    /// Scratch of one call.
    struct Workspace {
        let derived: Derived
        let dmix, dattended, dq, daq, dk, dak, dv, dmx, ds, dtn, dz, workers: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            let T = g.length
            let keys = g.window + T
            derived = Derived(&carver, c, g)
            dmix = carver.take(T * c.valueDim)
            dattended = carver.take(T * c.valueDim)
            dq = carver.take(T * c.zDim)
            daq = carver.take(T * c.zDim)
            dk = carver.take(keys * c.zDim)
            dak = carver.take(keys * c.zDim)
            dv = carver.take(keys * c.valueDim)
            dmx = carver.take(T * c.dim)
            ds = carver.take(T * c.dim)
            dtn = carver.take(T * c.dim)
            dz = carver.take(T * c.zDim)
            workers = carver.take(
                max(
                    4 * c.normGroups, ComplexEMA.workspace(workers: g.workers),
                    c.chunkAttention(layer: 0).workspace(workers: g.workers),
                    c.workingMemory.workspace(workers: g.workers)))
        }
    }
}
