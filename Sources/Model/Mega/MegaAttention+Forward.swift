import Hardware
import KernelInterface
import Numerics

extension MegaAttention {
    /// x -> y [T, D].
    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, state: MixerState,
        stash f: Stash, workspace w: Workspace
    ) {
        let (entry, exit) = (MegaState.at(state.entry, c, state.shape), MegaState.at(state.exit, c, state.shape))
        let slice = context.mega
        let (D, E, wide) = (c.dim, c.valueDim, c.wide)
        norm.forward(context, x, to: w.n, f.norm)
        context.team.alone(as: .ema) { exit.copyAverage(from: entry) }
        ema.forward(context, kept(context, w.n, f), y: f.el, state: exit.ema, scratch: w.average)
        addProductRow(context, w.n, value("move.omega"), to: f.el, as: .ema)
        silu(context, f.el, columns: D, to: MutableFloatRows(w.mx, stride: D))
        mx.forward(context, value("mx_proj.weight"), FloatRows(w.mx, stride: D), to: Destination(f.base, stride: wide))
        addBias(context, value("mx_proj.bias"), to: MutableFloatRows(f.base, stride: wide), columns: wide)
        v.forward(context, value("v_proj.weight"), FloatRows(w.n, stride: D), to: Destination(f.vl, stride: E))
        let keys = keyRows(context, f)
        if !c.seesAll {
            context.team.alone(as: .elementwise) { entry.copyWindow(to: f.window, count: slice.held) }
        }
        let own = keys.from(slice.start - slice.window.firstKey)
        silu(context, f.vl, columns: E, bias: value("v_proj.bias"), to: own.v)
        makeQueries(context, f, w, keys: own.k)
        bias.reach(slice.distances)
        attention.forward(context, slice.window, operands(context, f), scratch: w.workers)
        if !c.seesAll {
            let first = slice.held + slice.length - slice.handedOn
            context.team.alone(as: .elementwise) {
                exit.setWindow(
                    from: MegaState.Rows(
                        keys: f.window.keys + first * c.zDim, values: f.window.values + first * c.valueDim),
                    count: slice.handedOn)
            }
        }
        gate(context, f, w)
        let hx = f.base + columns.hx
        h.forward(
            context, value("h_proj.weight"), FloatRows(w.gated, stride: E),
            to: Destination(hx, stride: wide, adds: true))
        addBias(context, value("h_proj.bias"), to: MutableFloatRows(hx, stride: wide), columns: D)
        context.team.share(context.length) { _, rows in
            context.kernels.tokens.gating.gatedResidual(
                GatedResidualArguments(
                    y: MutableFloatRows(y + rows.lowerBound * D, stride: D), inputs: gated(f, x, from: rows.lowerBound),
                    extent: Extent(rows: rows.count, columns: D)))
        }
    }

    func kept(_ context: SliceContext, _ n: UnsafePointer<Float>, _ f: Stash) -> DampedEMA.Kept {
        DampedEMA.Kept(x: n, entries: f.entries, tiles: context.mega.tiles)
    }

    func operands(_ context: SliceContext, _ f: Stash) -> WindowAttention.Operands {
        let rows = keyRows(context, f)
        return .init(
            q: f.q, k: FloatRows(rows.k.base, stride: rows.k.stride), v: FloatRows(rows.v.base, stride: rows.v.stride),
            y: f.attended, top: f.top, total: f.total, bias: bias.value)
    }

    /// What the gated residual reads, from a row on.
    func gated(_ f: Stash, _ x: UnsafePointer<Float>, from t: Int) -> GatedResidualInputs {
        let base = f.base + t * c.wide
        return GatedResidualInputs(
            x: FloatRows(x + t * c.dim, stride: c.dim), gate: FloatRows(base + columns.u, stride: c.wide),
            candidate: FloatRows(base + columns.hx, stride: c.wide))
    }

    /// z, and q (with kappa in it) and k of it.
    private func makeQueries(_ context: SliceContext, _ f: Stash, _ w: Workspace, keys: MutableFloatRows) {
        let Z = c.zDim
        makeZ(context, f, w)
        let (gamma, beta) = (value("gamma"), value("beta"))
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.queries.affineViews(
                AffineViewsArguments(
                    q: MutableFloatRows(f.q + t * Z, stride: Z),
                    k: MutableFloatRows(keys.base + t * keys.stride, stride: keys.stride),
                    z: FloatRows(w.z + t * Z, stride: Z), gamma: gamma, beta: beta,
                    extent: Extent(rows: rows.count, columns: Z)))
        }
        scaleScores(context, f.q)
    }

    /// Multiplies rows [T, Z] by kappa.
    func scaleScores(_ context: SliceContext, _ q: UnsafeMutablePointer<Float>) {
        context.mega.scoreScales.withUnsafeBufferPointer { scales in
            let base = scales.baseAddress!
            context.team.share(context.length) { _, rows in
                let t = rows.lowerBound
                context.kernels.sequences.attention.multiplyRows(
                    MutableFloatRows(q + t * c.zDim, stride: c.zDim), base + t,
                    Extent(rows: rows.count, columns: c.zDim))
            }
        }
    }

    /// z = silu(its part of the base) [T, Z].
    func makeZ(_ context: SliceContext, _ f: Stash, _ w: Workspace) {
        let part = f.base + columns.z
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.gating.biasSilu(
                BiasSiluArguments(
                    x: MutableFloatRows(part + t * c.wide, stride: c.wide), bias: nil,
                    y: MutableFloatRows(w.z + t * c.zDim, stride: c.zDim),
                    extent: Extent(rows: rows.count, columns: c.zDim)))
        }
    }

    /// a silu(r) [T, E].
    func gate(_ context: SliceContext, _ f: Stash, _ w: Workspace) {
        let (E, r) = (c.valueDim, f.base + columns.r)
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.gating.gatedMix(
                GatedMixArguments(
                    mix: w.gated + t * E, attended: f.attended + t * E, gate: FloatRows(r + t * c.wide, stride: c.wide),
                    extent: Extent(rows: rows.count, columns: E)))
        }
    }

    /// x += bias in place where there is one, y = silu(x) [T, columns].
    func silu(
        _ context: SliceContext, _ x: UnsafeMutablePointer<Float>, columns: Int, bias: UnsafePointer<Float>? = nil,
        to y: MutableFloatRows
    ) {
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.gating.biasSilu(
                BiasSiluArguments(
                    x: MutableFloatRows(x + t * columns, stride: columns), bias: bias,
                    y: MutableFloatRows(y.base + t * y.stride, stride: y.stride),
                    extent: Extent(rows: rows.count, columns: columns)))
        }
    }

    private func addBias(
        _ context: SliceContext, _ bias: UnsafePointer<Float>, to x: MutableFloatRows, columns: Int
    ) {
        context.team.share(context.length) { _, rows in
            let part = x.base + rows.lowerBound * x.stride
            context.kernels.tokens.elementwise.addRow(
                MutableFloatRows(part, stride: x.stride), FloatRows(part, stride: x.stride), bias,
                Extent(rows: rows.count, columns: columns))
        }
    }

    /// y += x row [T, D].
    func addProductRow(
        _ context: SliceContext, _ x: UnsafePointer<Float>, _ row: UnsafePointer<Float>,
        to y: UnsafeMutablePointer<Float>, as work: Work
    ) {
        let D = c.dim
        context.team.share(context.length, as: work) { _, rows in
            let i = rows.lowerBound * D
            context.kernels.tokens.elementwise.addProductRow(
                MutableFloatRows(y + i, stride: D), FloatRows(x + i, stride: D), row,
                Extent(rows: rows.count, columns: D))
        }
    }
}
