import Hardware
import KernelInterface
import Numerics

extension GatedAttention {
    /// What is kept of one slice for its backward: what costs matrix products or a scan. The rest is made again from it
    /// (`Derived`).
    struct Stash {
        /// Corrected means and inverse deviations of the timestep norm [T, G].
        let mhat, tr: UnsafeMutablePointer<Float>
        /// The EMA's states at its tiles' entrances [tiles, 2, N, paddedDim].
        let entries: UnsafeMutablePointer<Float>
        /// The EMA's output [T, D], none without an EMA, and the scales of the RMS norm behind it [T, groups].
        let s, sr: UnsafeMutablePointer<Float>
        /// z beside r before its silu [T, Z + E], biases included; the scales of z's heads [T, H].
        let zr, zs: UnsafeMutablePointer<Float>
        /// The window that the slice was entered with: k and ak [n, Z], v [n, E].
        let keys, memoryKeys, values: UnsafeMutablePointer<Float>
        /// v before its silu [T, E], bias included.
        let vl: UnsafeMutablePointer<Float>
        /// Attention's output [T, E], and each row's largest score and sum of exponentials [H, T].
        let attended, top, total: UnsafeMutablePointer<Float>
        /// M [pieces, H, dz, dv] and l [pieces, H, dz] at the pieces' entrances, those of a piece together.
        let memory: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            let T = g.length
            mhat = carver.take(T * c.normGroups)
            tr = carver.take(T * c.normGroups)
            entries = carver.take(g.tiles * c.emaCount)
            s = carver.take(c.ema ? T * c.dim : 0)
            sr = carver.take(T * c.lnGroups)
            zr = carver.take(T * (c.zDim + c.valueDim))
            zs = carver.take(T * c.heads)
            keys = carver.take(g.window * c.zDim)
            memoryKeys = carver.take(g.window * c.memoryKeyDim)
            values = carver.take(g.window * c.valueDim)
            vl = carver.take(T * c.valueDim)
            attended = carver.take(T * c.valueDim)
            top = carver.take(T * c.heads)
            total = carver.take(T * c.heads)
            memory = carver.take(c.workingMemory?.stash(pieces: g.pieces) ?? 0)
        }

        var window: LayerState.Window { (keys, memoryKeys, values) }

        func norm(_ x: UnsafePointer<Float>) -> TimestepNormKept { .init(x: x, means: mhat, scales: tr) }
    }

    /// What follows from a slice's input and its stash without a large matrix product: computed by the forward, and
    /// again by the backward with the same kernels and so to the same bits, which costs no more than to write it to
    /// memory and to fetch it.
    struct Derived {
        /// [T, D].
        let tn, mx: UnsafeMutablePointer<Float>
        /// [T, Z]; without a memory there are no `aq`, `ak` and `recalled`, nor gradients of them.
        let q, aq: UnsafeMutablePointer<Float>
        /// [n + T, Z] and [n + T, E], with the window in front.
        let k, ak, v: UnsafeMutablePointer<Float>
        /// What the memory gave, and the gated sum that W_h2 takes [T, E].
        let recalled, mix: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            let T = g.length
            let keys = g.window + T
            tn = carver.take(T * c.dim)
            mx = carver.take(T * c.dim)
            q = carver.take(T * c.zDim)
            aq = carver.take(T * c.memoryKeyDim)
            k = carver.take(keys * c.zDim)
            ak = carver.take(keys * c.memoryKeyDim)
            v = carver.take(keys * c.valueDim)
            recalled = carver.take(c.memory ? T * c.valueDim : 0)
            mix = carver.take(T * c.valueDim)
        }

        func attention(_ f: Stash, _ c: GeckoConfiguration) -> WindowAttention.Operands {
            .init(
                q: q, k: FloatRows(k, stride: c.zDim), v: FloatRows(v, stride: c.valueDim), y: f.attended, top: f.top,
                total: f.total)
        }

        var memory: AdaptiveWorkingMemory.Inputs { .init(q: aq, k: ak, v: v) }
    }

    /// Upstream gradients of the linear maps.
    struct GradientStash {
        /// Of Wh1 mx + b1 + Wh2 mix [T, D].
        let dh: UnsafeMutablePointer<Float>
        /// Of `zr` [T, Z + E], and of `vl` [T, E].
        let dzr, dvl: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            dh = carver.take(g.length * c.dim)
            dzr = carver.take(g.length * (c.zDim + c.valueDim))
            dvl = carver.take(g.length * c.valueDim)
        }
    }

    typealias Memory = MixerMemory<GatedAttention>

    /// Scratch of one call.
    struct Workspace {
        /// The gradient of y [T, D].
        let dy: UnsafeMutablePointer<Float>
        let derived: Derived
        /// [T, E]: of the mix, and so of what the memory gave; of attention's output.
        let dmix, dattended: UnsafeMutablePointer<Float>
        /// [T, Z].
        let dq, daq: UnsafeMutablePointer<Float>
        /// [n + T, Z] and [n + T, E], with the window in front.
        let dk, dak, dv: UnsafeMutablePointer<Float>
        /// [T, D]; `ds` also receives the gradient of x from that of `tn`.
        let dmx, ds, dtn: UnsafeMutablePointer<Float>
        /// [T, Z].
        let dz: UnsafeMutablePointer<Float>
        /// What the operation at work asks for, for all workers.
        let workers: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry) {
            let T = g.length
            let keys = g.window + T
            dy = carver.take(T * c.dim)
            derived = Derived(&carver, c, g)
            dmix = carver.take(T * c.valueDim)
            dattended = carver.take(T * c.valueDim)
            dq = carver.take(T * c.zDim)
            daq = carver.take(T * c.memoryKeyDim)
            dk = carver.take(keys * c.zDim)
            dak = carver.take(keys * c.memoryKeyDim)
            dv = carver.take(keys * c.valueDim)
            dmx = carver.take(T * c.dim)
            ds = carver.take(T * c.dim)
            dtn = carver.take(T * c.dim)
            dz = carver.take(T * c.zDim)
            workers = carver.take(
                max(
                    GeckoNorm.workspace(c), c.ema ? ComplexEMA.workspace(workers: g.workers) : 0,
                    c.chunkAttention(layer: 0).workspace(workers: g.workers),
                    c.workingMemory?.workspace(workers: g.workers) ?? 0))
        }
    }
}
