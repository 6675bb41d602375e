import Hardware
import KernelInterface
import Numerics

extension MegalodonAttention {
    /// What is kept of one slice for its backward: what costs matrix products or a scan. The rest is made again from it
    /// (`Derived`).
    struct Stash {
        /// Means and inverse deviations of the timestep norm [T, G].
        let means, scales: UnsafeMutablePointer<Float>
        /// The EMA's states at its tiles' entrances [tiles, 2, N, paddedDim], and its output [T, D].
        let entries, s: UnsafeMutablePointer<Float>
        let averageNorm: FeatureNorm.Stash
        /// z beside r before its silu [T, Z + E], biases included; the scales of z's heads [T, H].
        let zr, zs: UnsafeMutablePointer<Float>
        /// The window that the slice was entered with: k [n, Z], v [n, E].
        let keys, values: UnsafeMutablePointer<Float>
        /// v before its silu [T, E], bias included.
        let vl: UnsafeMutablePointer<Float>
        /// Attention's output [T, E], and each row's largest score and sum of exponentials [H, T].
        let attended, top, total: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ g: MegalodonGeometry) {
            let T = g.length
            means = carver.take(T * c.normGroups)
            scales = carver.take(T * c.normGroups)
            entries = carver.take(g.tiles * 2 * c.emaDim * c.paddedDim)
            s = carver.take(T * c.dim)
            averageNorm = .init(&carver, .rms, length: T)
            zr = carver.take(T * (c.zDim + c.valueDim))
            zs = carver.take(T * c.heads)
            keys = carver.take(g.window * c.zDim)
            values = carver.take(g.window * c.valueDim)
            vl = carver.take(T * c.valueDim)
            attended = carver.take(T * c.valueDim)
            top = carver.take(T * c.heads)
            total = carver.take(T * c.heads)
        }

        var window: MegalodonState.Rows { (keys, values) }

        func norm(_ x: UnsafePointer<Float>) -> TimestepNorm.Kept { .init(x: x, means: means, scales: scales) }

        func average(_ context: SliceContext, _ d: Derived) -> ComplexEMA.Kept {
            .init(x: d.tn, entries: entries, tiles: context.megalodon.tiles)
        }
    }

    /// What follows from a slice's input and its stash without a large matrix product: computed by the forward, and
    /// again by the backward with the same kernels and so to the same bits.
    struct Derived {
        /// [T, D].
        let tn, mx: UnsafeMutablePointer<Float>
        /// [T, Z].
        let q: UnsafeMutablePointer<Float>
        /// [n + T, Z] and [n + T, E], with the window in front.
        let k, v: UnsafeMutablePointer<Float>
        /// What Wh2 takes [T, E].
        let mix: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ g: MegalodonGeometry) {
            let T = g.length
            let keys = g.window + T
            tn = carver.take(T * c.dim)
            mx = carver.take(T * c.dim)
            q = carver.take(T * c.zDim)
            k = carver.take(keys * c.zDim)
            v = carver.take(keys * c.valueDim)
            mix = carver.take(T * c.valueDim)
        }

        func attention(_ f: Stash, _ c: MegalodonConfiguration) -> WindowAttention.Operands {
            .init(
                q: q, k: FloatRows(k, stride: c.zDim), v: FloatRows(v, stride: c.valueDim), y: f.attended, top: f.top,
                total: f.total)
        }
    }

    /// Upstream gradients of the linear maps.
    struct GradientStash {
        /// Of y [T, D].
        let dy: UnsafeMutablePointer<Float>
        /// Of `zr` [T, Z + E], and of `vl` [T, E].
        let dzr, dvl: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ g: MegalodonGeometry) {
            dy = carver.take(g.length * c.dim)
            dzr = carver.take(g.length * (c.zDim + c.valueDim))
            dvl = carver.take(g.length * c.valueDim)
        }
    }

    typealias Memory = MixerMemory<MegalodonAttention>

    /// Scratch of one call.
    struct Workspace {
        let derived: Derived
        /// [T, E]: of the mix, and of attention's output.
        let dmix, dattended: UnsafeMutablePointer<Float>
        /// [T, Z].
        let dq, dz: UnsafeMutablePointer<Float>
        /// [n + T, Z] and [n + T, E], with the window in front.
        let dk, dv: UnsafeMutablePointer<Float>
        /// [T, D]; `ds` also receives the gradient of x from that of `tn`.
        let dmx, ds, dtn: UnsafeMutablePointer<Float>
        /// What the operation at work asks for, for all workers.
        let workers: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ g: MegalodonGeometry) {
            let T = g.length
            let keys = g.window + T
            derived = Derived(&carver, c, g)
            dmix = carver.take(T * c.valueDim)
            dattended = carver.take(T * c.valueDim)
            dq = carver.take(T * c.zDim)
            dz = carver.take(T * c.zDim)
            dk = carver.take(keys * c.zDim)
            dv = carver.take(keys * c.valueDim)
            dmx = carver.take(T * c.dim)
            ds = carver.take(T * c.dim)
            dtn = carver.take(T * c.dim)
            workers = carver.take(
                max(
                    TimestepNorm.workspace(groups: c.normGroups), ComplexEMA.workspace(workers: g.workers),
                    c.chunkAttention.workspace(workers: g.workers)))
        }
    }
}
