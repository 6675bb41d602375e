import Hardware
import KernelInterface
import Numerics

extension MegaAttention {
    func outputGradient(_ memory: Memory) -> UnsafeMutablePointer<Float> { memory.workspace.dy }

    /// The gradient of y -> dx [T, D]; `stateGradient` in and out.
    func backward(
        _ context: SliceContext, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, stateGradient: MixerState,
        _ memory: Memory
    ) {
        let stateGradient = MegaState.at(stateGradient.exit, c, stateGradient.shape)
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let (D, E, wide) = (c.dim, c.valueDim, c.wide)
        splitGate(context, dy: w.dy, dx: dx, x: x, f, g)
        let candidate = FloatRows(g.dbase + columns.hx, stride: wide)
        addColumnSums(context, candidate, columns: D, to: gradient("h_proj.bias"))
        h.backward(context, value("h_proj.weight"), candidate, to: Destination(w.dgated, stride: E))
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.gating.gatedMixBackward(
                GatedMixBackwardArguments(
                    dattended: w.dattended + t * E,
                    dgate: MutableFloatRows(g.dbase + t * wide + columns.r, stride: wide), dmix: w.dgated + t * E,
                    attended: f.attended + t * E, gate: FloatRows(f.base + t * wide + columns.r, stride: wide),
                    extent: Extent(rows: rows.count, columns: E)))
        }
        let keys = attendBackward(context, stateGradient, f, w)
        queriesBackward(context, f, g, w, keys: keys.k)
        addColumnSums(context, FloatRows(g.dbase, stride: wide), columns: wide, to: gradient("mx_proj.bias"))
        mx.backward(
            context, value("mx_proj.weight"), FloatRows(g.dbase, stride: wide), to: Destination(w.dmx, stride: D))
        averageBackward(context, x, stateGradient, f, w)
        siluBackward(
            context, FloatRows(keys.v.base, stride: keys.v.stride), of: FloatRows(f.vl, stride: E), columns: E,
            to: MutableFloatRows(g.dvl, stride: E))
        addColumnSums(context, FloatRows(g.dvl, stride: E), columns: E, to: gradient("v_proj.bias"))
        v.backward(
            context, value("v_proj.weight"), FloatRows(g.dvl, stride: E), to: Destination(w.dn, stride: D, adds: true))
        norm.backward(context, dy: w.dn, dx: dx, adds: true, x: x, f.norm)
    }

    /// dx = dy (1 - u), and the gradients of u and the candidate before their activations.
    private func splitGate(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>,
        _ f: Stash, _ g: GradientStash
    ) {
        let (D, wide) = (c.dim, c.wide)
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            let base = g.dbase + t * wide
            context.kernels.tokens.gating.gatedResidualBackward(
                GatedResidualBackwardArguments(
                    dx: MutableFloatRows(dx + t * D, stride: D),
                    dgate: MutableFloatRows(base + columns.u, stride: wide),
                    dcandidate: MutableFloatRows(base + columns.hx, stride: wide), dy: FloatRows(dy + t * D, stride: D),
                    forward: gated(f, x, from: t), extent: Extent(rows: rows.count, columns: D)))
        }
    }

    /// The gradient of q, and those of the slice's own keys and values, which are returned; the window's go to the
    /// state's.
    private func attendBackward(
        _ context: SliceContext, _ stateGradient: MegaState, _ f: Stash, _ w: Workspace
    ) -> KeyRows {
        let slice = context.mega
        let rows = keyGradientRows(context, w)
        if !c.seesAll {
            context.team.alone(as: .elementwise) {
                stateGradient.copyWindowGradient(
                    to: w.window, all: slice.held + slice.length, count: slice.handedOn)
            }
        }
        attention.backward(
            context, slice.window, operands(context, f),
            .init(y: w.dattended, q: w.dq, k: rows.k, v: rows.v, bias: bias.gradient), scratch: w.workers)
        scaleScores(context, w.dq)
        if !c.seesAll {
            context.team.alone(as: .elementwise) { stateGradient.setWindow(from: w.window, count: slice.held) }
        }
        // Where tokens have rows, all later slices have added to them: slices go back last first.
        return rows.from(slice.start - slice.window.firstKey)
    }

    /// The gradients of Gamma, Beta and of z before its activation, from those of q and k.
    private func queriesBackward(
        _ context: SliceContext, _ f: Stash, _ g: GradientStash, _ w: Workspace, keys: MutableFloatRows
    ) {
        let (Z, wide) = (c.zDim, c.wide)
        makeZ(context, f, w)
        let (gamma, dgamma, dbeta) = (value("gamma"), gradient("gamma"), gradient("beta"))
        let dk = FloatRows(keys.base, stride: keys.stride)
        let (dq, z) = (FloatRows(w.dq, stride: Z), FloatRows(w.z, stride: Z))
        addColumnSums(context, dq, columns: Z, to: dbeta)
        addColumnSums(context, dk, columns: Z, to: dbeta + Z)
        addColumnDots(context, dq, z, columns: Z, to: dgamma, as: .elementwise)
        addColumnDots(context, dk, z, columns: Z, to: dgamma + Z, as: .elementwise)
        let dz = g.dbase + columns.z
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.queries.affineViewsBackward(
                AffineViewsBackwardArguments(
                    dz: MutableFloatRows(dz + t * wide, stride: wide), dq: FloatRows(w.dq + t * Z, stride: Z),
                    dk: FloatRows(dk.base + t * dk.stride, stride: dk.stride), gamma: gamma,
                    extent: Extent(rows: rows.count, columns: Z)))
        }
        siluBackward(
            context, FloatRows(dz, stride: wide), of: FloatRows(f.base + columns.z, stride: wide), columns: Z,
            to: MutableFloatRows(dz, stride: wide))
    }

    /// The gradient of n through the moving average and its residual, from dmx.
    private func averageBackward(
        _ context: SliceContext, _ x: UnsafePointer<Float>, _ stateGradient: MegaState, _ f: Stash, _ w: Workspace
    ) {
        let D = c.dim
        siluBackward(
            context, FloatRows(w.dmx, stride: D), of: FloatRows(f.el, stride: D), columns: D,
            to: MutableFloatRows(w.dmx, stride: D))
        norm.forward(context, x, to: w.n, f.norm)
        addColumnDots(
            context, FloatRows(w.dmx, stride: D), FloatRows(w.n, stride: D), columns: D, to: gradient("move.omega"),
            as: .ema)
        ema.backward(
            context, dy: w.dmx, dx: w.dn, kept(context, w.n, f), stateGradient: stateGradient.ema, scratch: w.average)
        addProductRow(context, w.dmx, value("move.omega"), to: w.dn, as: .ema)
    }

    private func siluBackward(
        _ context: SliceContext, _ dy: FloatRows, of x: FloatRows, columns: Int, to dx: MutableFloatRows
    ) {
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.gating.siluBackward(
                SiluBackwardArguments(
                    dx: MutableFloatRows(dx.base + t * dx.stride, stride: dx.stride),
                    dy: FloatRows(dy.base + t * dy.stride, stride: dy.stride),
                    x: FloatRows(x.base + t * x.stride, stride: x.stride),
                    extent: Extent(rows: rows.count, columns: columns)))
        }
    }

    private func addColumnSums(
        _ context: SliceContext, _ x: FloatRows, columns: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        context.team.share(columns, grain: 16) { _, part in
            let i = part.lowerBound
            context.kernels.tokens.elementwise.columnSums(
                FloatRows(x.base + i, stride: x.stride), Extent(rows: context.length, columns: part.count), sums + i)
        }
    }

    private func addColumnDots(
        _ context: SliceContext, _ x: FloatRows, _ y: FloatRows, columns: Int, to dots: UnsafeMutablePointer<Float>,
        as work: Work
    ) {
        context.team.share(columns, grain: 16, as: work) { _, part in
            let i = part.lowerBound
            context.kernels.tokens.elementwise.columnDots(
                FloatRows(x.base + i, stride: x.stride), FloatRows(y.base + i, stride: y.stride),
                Extent(rows: context.length, columns: part.count), dots + i)
        }
    }

    /// Adds the gradients of the maps' weights; what they multiplied is made again.
    func accumulateWeightGradients(
        _ context: SliceContext, x: UnsafePointer<Float>, _ memory: Memory, followsBackward: Bool
    ) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let (D, E, wide) = (c.dim, c.valueDim, c.wide)
        gate(context, f, w)
        h.accumulateWeightGradient(
            context, gradient("h_proj.weight"), FloatRows(g.dbase + columns.hx, stride: wide),
            FloatRows(w.gated, stride: E))
        silu(context, f.el, columns: D, to: MutableFloatRows(w.mx, stride: D))
        mx.accumulateWeightGradient(
            context, gradient("mx_proj.weight"), FloatRows(g.dbase, stride: wide), FloatRows(w.mx, stride: D))
        norm.forward(context, x, to: w.n, f.norm)
        v.accumulateWeightGradient(
            context, gradient("v_proj.weight"), FloatRows(g.dvl, stride: E), FloatRows(w.n, stride: D))
    }
}
