import Hardware
import KernelInterface
import Numerics

extension GatedAttention {
    /// x -> y [T, D].
    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, state: MixerState,
        stash f: Stash, workspace w: Workspace
    ) {
        let (entry, exit) = (LayerState.at(state.entry, c, state.shape), LayerState.at(state.exit, c, state.shape))
        let team = context.team
        let kernels = context.kernels
        let plan = context.plan
        let (T, D, Z, E) = (plan.length, c.dim, c.zDim, c.valueDim)
        let n = plan.window
        let d = w.derived
        team.alone(as: .elementwise) { exit.copyRecurrences(from: entry) }
        timeNorm.forward(context, f.norm(x), y: d.tn, state: exit.norm)
        ema?.forward(
            context, .init(x: d.tn, entries: f.entries, tiles: plan.tiles), y: f.s, state: exit.ema, scratch: w.workers)
        normalise(context, f, d)
        wzr.forward(context, value("wz.weight"), FloatRows(d.mx, stride: D), to: Destination(f.zr, stride: Z + E))
        wv.forward(context, value("wv.weight"), FloatRows(d.tn, stride: D), to: Destination(f.vl, stride: E))
        let values = d.v + n * E
        team.share(T) { _, rows in
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
                    y: MutableFloatRows(values + t * E, stride: E), extent: Extent(rows: rows.count, columns: E)))
        }
        rotateKeys(context, d)
        team.alone(as: .elementwise) {
            LayerState.copyWindow(entry.window, to: f.window, rows: n, c)
            LayerState.copyWindow(entry.window, to: (d.k, d.ak, d.v), rows: n, c)
        }
        sca.forward(context, plan.attention, d.attention(f, c), scratch: w.workers)
        awm?.forward(
            context, d.memory, y: d.recalled, memory: exit.workingMemory, stash: f.memory, scratch: w.workers)
        let cut = plan.newWindowStart - plan.windowStart
        team.alone(as: .elementwise) {
            exit.setWindow(from: (d.k + cut * Z, d.ak + cut * Z, d.v + cut * E), rows: plan.newWindow)
        }
        mixGated(context, f, d)
        output(context, x: x, y: y, d)
    }

    /// y = x + dropout(Wh1 mx + b1 + Wh2 mix).
    private func output(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, _ d: Derived
    ) {
        let team = context.team
        let kernels = context.kernels
        let (T, D, E) = (context.length, c.dim, c.valueDim)
        let drops = outputDropout.isActive(context)
        if !drops {
            team.share(T) { _, rows in
                let o = rows.lowerBound * D
                kernels.tokens.elementwise.addRow(
                    MutableFloatRows(y + o, stride: D), FloatRows(x + o, stride: D), value("wh1.bias"),
                    Extent(rows: rows.count, columns: D))
            }
        }
        wh1.forward(
            context, value("wh1.weight"), FloatRows(d.mx, stride: D), to: Destination(y, stride: D, adds: !drops))
        wh2.forward(
            context, value("wh2.weight"), FloatRows(d.mix, stride: E), to: Destination(y, stride: D, adds: true))
        if drops {
            team.alone(as: .elementwise) {
                kernels.tokens.elementwise.addRow(
                    MutableFloatRows(y, stride: D), FloatRows(y, stride: D), value("wh1.bias"),
                    Extent(rows: T, columns: D))
            }
            outputDropout.apply(context, y, y, D)
            team.alone(as: .elementwise) { kernels.tokens.elementwise.addTo(y, x, T * D) }
        }
    }
}
