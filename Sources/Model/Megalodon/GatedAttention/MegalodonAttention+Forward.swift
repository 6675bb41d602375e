import Hardware
import KernelInterface
import Numerics

extension MegalodonAttention {
    /// x -> y [T, D].
    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        state: MixerState, stash f: Stash, workspace w: Workspace
    ) {
        let entry = MegalodonState.at(state.entry, c, state.shape)
        let exit = MegalodonState.at(state.exit, c, state.shape)
        let (team, slice, d) = (context.team, context.megalodon, w.derived)
        let (D, Z, E, n) = (c.dim, c.zDim, c.valueDim, slice.held)
        team.alone(as: .elementwise) { exit.copyRecurrences(from: entry) }
        timeNorm.forward(context, f.norm(x), y: d.tn, moments: exit.moments, shares: slice.shares)
        ema.forward(context, f.average(context, d), y: f.s, state: exit.ema, scratch: w.workers)
        averageNorm.forward(context, f.s, to: d.mx, f.averageNorm)
        wzr.forward(context, value("wz.weight"), FloatRows(d.mx, stride: D), to: Destination(f.zr, stride: Z + E))
        wv.forward(context, value("wv.weight"), FloatRows(d.tn, stride: D), to: Destination(f.vl, stride: E))
        addBiases(context, f, d)
        rotateKeys(context, d)
        team.alone(as: .elementwise) {
            MegalodonState.copy(entry.window, to: f.window, rows: n, c)
            MegalodonState.copy(entry.window, to: (d.k, d.v), rows: n, c)
        }
        attention.forward(context, slice.window, d.attention(f, c), scratch: w.workers)
        let cut = slice.newWindowStart - slice.window.firstKey
        team.alone(as: .elementwise) {
            exit.setWindow(from: (d.k + cut * Z, d.v + cut * E), rows: slice.newWindow)
        }
        mixGated(context, f, d)
        output(context, x: x, y: y, d)
    }

    /// z and r with their biases, the views of z, the values.
    private func addBiases(_ context: SliceContext, _ f: Stash, _ d: Derived) {
        let kernels = context.kernels
        let (Z, E, n) = (c.zDim, c.valueDim, context.megalodon.held)
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            let zr = f.zr + t * (Z + E)
            kernels.tokens.elementwise.addRow(
                MutableFloatRows(zr, stride: Z + E), FloatRows(zr, stride: Z + E), value("wz.bias"),
                Extent(rows: rows.count, columns: Z + E))
            kernels.tokens.queries.headScales(
                f.zs + t * c.heads, FloatRows(zr, stride: Z + E), headed(rows.count), Float(c.eps))
            views(context, f, d, rows: rows)
            kernels.tokens.gating.biasSilu(
                BiasSiluArguments(
                    x: MutableFloatRows(f.vl + t * E, stride: E), bias: value("wv.bias"),
                    y: MutableFloatRows(d.v + (n + t) * E, stride: E), extent: Extent(rows: rows.count, columns: E)))
        }
    }

    /// y = x + Wh1 mx + b1 + Wh2 mix.
    private func output(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, _ d: Derived
    ) {
        let (D, E) = (c.dim, c.valueDim)
        context.team.share(context.length) { _, rows in
            let o = rows.lowerBound * D
            context.kernels.tokens.elementwise.addRow(
                MutableFloatRows(y + o, stride: D), FloatRows(x + o, stride: D), value("wh1.bias"),
                Extent(rows: rows.count, columns: D))
        }
        wh1.forward(
            context, value("wh1.weight"), FloatRows(d.mx, stride: D), to: Destination(y, stride: D, adds: true))
        wh2.forward(
            context, value("wh2.weight"), FloatRows(d.mix, stride: E), to: Destination(y, stride: D, adds: true))
    }
}
