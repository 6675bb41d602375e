import Kernels
import Numerics

extension MegaAttention {
    struct Stash {
        let norm: FeatureNorm.Stash
        /// Wv n + bv [T, E], and what silu makes e of [T, D].
        let vl, el: UnsafeMutablePointer<Float>
        /// u, z, r and c before their activations, side by side [T, 2 D + Z + E].
        let base: UnsafeMutablePointer<Float>
        /// With kappa in it [T, Z].
        let q: UnsafeMutablePointer<Float>
        /// The window's keys and values and the slice's own, where they don't have rows of their own.
        let window: MegaState.Rows
        /// Attention's output [T, E], and each row's largest score and sum of exponentials [T].
        let attended, top, total: UnsafeMutablePointer<Float>
        /// The EMA's states at the tiles' entrances [_, N, paddedDim].
        let entries: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegaConfiguration, _ g: MegaGeometry) {
            let T = g.length
            norm = .init(&carver, .layer, length: T)
            vl = carver.take(T * c.valueDim)
            el = carver.take(T * c.dim)
            base = carver.take(T * c.wide)
            q = carver.take(T * c.zDim)
            window = Self.window(&carver, c, g)
            attended = carver.take(T * c.valueDim)
            top = carver.take(T)
            total = carver.take(T)
            entries = carver.take(g.tiles * c.emaDim * c.paddedDim)
        }

        fileprivate static func window(
            _ carver: inout Carver, _ c: MegaConfiguration, _ g: MegaGeometry
        ) -> MegaState.Rows {
            let rows = c.seesAll ? 0 : g.window + g.length
            return MegaState.Rows(keys: carver.take(rows * c.zDim), values: carver.take(rows * c.valueDim))
        }
    }

    /// Upstream gradients of the linear maps.
    struct GradientStash {
        /// Of Wv n + bv [T, E].
        let dvl: UnsafeMutablePointer<Float>
        /// Of u, z, r and hx before their activations [T, 2 D + Z + E].
        let dbase: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegaConfiguration, _ g: MegaGeometry) {
            dvl = carver.take(g.length * c.valueDim)
            dbase = carver.take(g.length * c.wide)
        }
    }

    struct Workspace {
        /// The gradient of y [T, D].
        let dy: UnsafeMutablePointer<Float>
        /// [T, D].
        let n, dn, mx, dmx: UnsafeMutablePointer<Float>
        /// [T, Z].
        let z, dq: UnsafeMutablePointer<Float>
        /// [T, E].
        let gated, dgated, dattended: UnsafeMutablePointer<Float>
        /// Gradients of the keys and values, as the stash has them.
        let window: MegaState.Rows
        /// What the EMA and attention ask for, for all workers.
        let average, workers: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegaConfiguration, _ g: MegaGeometry) {
            let (D, Z, E) = (g.length * c.dim, g.length * c.zDim, g.length * c.valueDim)
            dy = carver.take(D)
            n = carver.take(D)
            dn = carver.take(D)
            mx = carver.take(D)
            dmx = carver.take(D)
            z = carver.take(Z)
            dq = carver.take(Z)
            gated = carver.take(E)
            dgated = carver.take(E)
            dattended = carver.take(E)
            window = Stash.window(&carver, c, g)
            average = carver.take(DampedEMA.workspace(workers: g.workers))
            workers = carver.take(c.chunkAttention.workspace(workers: g.workers))
        }
    }

    typealias Memory = MixerMemory<MegaAttention>
}
