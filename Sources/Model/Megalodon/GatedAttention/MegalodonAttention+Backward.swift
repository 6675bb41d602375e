import Hardware
import KernelInterface
import Numerics

extension MegalodonAttention {
    func outputGradient(_ memory: Memory) -> UnsafeMutablePointer<Float> { memory.gradientStash.dy }

    /// The gradient of y -> dx [T, D] (the residual included).
    func backward(
        _ context: SliceContext, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, stateGradient: MixerState,
        _ memory: Memory
    ) {
        let stateGradient = MegalodonState.at(stateGradient.exit, c, stateGradient.shape)
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let (team, slice, d) = (context.team, context.megalodon, w.derived)
        let (T, D, Z, E, n) = (slice.length, c.dim, c.zDim, c.valueDim, slice.held)
        restore(context, x: x, f, d)
        wh2.backward(context, value("wh2.weight"), FloatRows(g.dy, stride: D), to: Destination(w.dmix, stride: E))
        wh1.backward(context, value("wh1.weight"), FloatRows(g.dy, stride: D), to: Destination(w.dmx, stride: D))
        gateBackward(context, f, g, w)
        team.alone(as: .elementwise) {
            stateGradient.copyWindowGradient(to: (w.dk, w.dv), keys: n + T, rows: slice.newWindow)
        }
        attention.backward(
            context, slice.window, d.attention(f, c),
            .init(
                y: w.dattended, q: w.dq, k: MutableFloatRows(w.dk, stride: Z), v: MutableFloatRows(w.dv, stride: E)),
            scratch: w.workers)
        team.alone(as: .elementwise) { stateGradient.setWindow(from: (w.dk, w.dv), rows: n) }
        viewsBackward(context, f, g, w)
        addBiasGradients(context, g)
        wzr.backward(
            context, value("wz.weight"), FloatRows(g.dzr, stride: Z + E), to: Destination(w.dmx, stride: D, adds: true))
        averageNorm.backward(context, dy: w.dmx, dx: w.ds, adds: false, x: f.s, f.averageNorm)
        let average = f.average(context, d)
        ema.addResidualWeightGradient(context, gradient("cema.omega"), dy: w.ds, average)
        ema.backward(context, dy: w.ds, dx: w.dtn, average, stateGradient: stateGradient.ema, scratch: w.workers)
        wv.backward(
            context, value("wv.weight"), FloatRows(g.dvl, stride: E), to: Destination(w.dtn, stride: D, adds: true))
        timeNorm.backward(
            context, dy: w.dtn, dx: w.ds, f.norm(x), momentGradients: stateGradient.moments, shares: slice.shares,
            scratch: w.workers)
        team.share(T) { _, rows in
            let o = rows.lowerBound * D
            (dx + o).update(from: g.dy + o, count: rows.count * D)
            context.kernels.tokens.elementwise.addTo(dx + o, w.ds + o, rows.count * D)
        }
    }

    /// The gradients of attention's output and of the gate, from that of their mix.
    private func gateBackward(_ context: SliceContext, _ f: Stash, _ g: GradientStash, _ w: Workspace) {
        let (Z, E) = (c.zDim, c.valueDim)
        context.team.share(context.length) { _, rows in
            let o = rows.lowerBound * E
            let r = rows.lowerBound * (Z + E) + Z
            context.kernels.tokens.gating.gatedMixBackward(
                GatedMixBackwardArguments(
                    dattended: w.dattended + o, dgate: MutableFloatRows(g.dzr + r, stride: Z + E), dmix: w.dmix + o,
                    attended: f.attended + o, gate: FloatRows(f.zr + r, stride: Z + E),
                    extent: Extent(rows: rows.count, columns: E)))
        }
    }

    /// The gradients of z, of the values before silu, and of gamma and beta, from those of the views and values.
    private func viewsBackward(_ context: SliceContext, _ f: Stash, _ g: GradientStash, _ w: Workspace) {
        let (team, kernels) = (context.team, context.kernels)
        let (T, Z, E, n) = (context.length, c.zDim, c.valueDim, context.megalodon.held)
        let (dk, dv) = (w.dk + n * Z, w.dv + n * E)
        rotate(context, w.dq, direction: -1)
        rotate(context, dk, direction: -1)
        let (gamma, dgamma, dbeta) = (value("gamma"), gradient("gamma"), gradient("beta"))
        team.share(Z, grain: 16) { _, columns in
            func add(_ j: Int, _ dview: UnsafePointer<Float>) {
                kernels.tokens.queries.queryViewWeight(
                    QueryViewWeightArguments(
                        dgamma: dgamma + j * Z, dbeta: dbeta + j * Z, dview: dview,
                        z: FloatRows(f.zr, stride: Z + E), scales: f.zs, shape: headed(T), columns: columns))
            }
            add(0, w.dq)
            add(1, dk)
        }
        team.share(T) { _, rows in
            let t = rows.lowerBound
            kernels.tokens.queries.queryViewsBackward(
                QueryViewsBackwardArguments(
                    dz: w.dz + t * Z, views: QueryViewGradients(q: w.dq + t * Z, k: dk + t * Z), gamma: gamma,
                    shape: headed(rows.count)))
            kernels.tokens.featureNorms.rmsNormBackward(
                RMSNormBackwardArguments(
                    dx: MutableFloatRows(g.dzr + t * (Z + E), stride: Z + E), dy: FloatRows(w.dz + t * Z, stride: Z),
                    x: FloatRows(f.zr + t * (Z + E), stride: Z + E), scales: f.zs + t * c.heads, weight: nil,
                    shape: headed(rows.count)))
            kernels.tokens.gating.siluBackward(
                SiluBackwardArguments(
                    dx: MutableFloatRows(g.dvl + t * E, stride: E), dy: FloatRows(dv + t * E, stride: E),
                    x: FloatRows(f.vl + t * E, stride: E), extent: Extent(rows: rows.count, columns: E)))
        }
    }

    private func addBiasGradients(_ context: SliceContext, _ g: GradientStash) {
        let (T, D, ZE, E) = (context.length, c.dim, c.zDim + c.valueDim, c.valueDim)
        func add(_ d: UnsafePointer<Float>, _ columns: Int, to out: UnsafeMutablePointer<Float>) {
            context.team.share(columns, grain: 16) { _, part in
                context.kernels.tokens.elementwise.columnSums(
                    FloatRows(d + part.lowerBound, stride: columns), Extent(rows: T, columns: part.count),
                    out + part.lowerBound)
            }
        }
        add(g.dzr, ZE, to: gradient("wz.bias"))
        add(g.dvl, E, to: gradient("wv.bias"))
        add(g.dy, D, to: gradient("wh1.bias"))
    }

    /// - Parameter followsBackward: the workspace is still as the slice's `backward` left it
    func accumulateWeightGradients(
        _ context: SliceContext, x: UnsafePointer<Float>, _ memory: Memory, followsBackward: Bool
    ) {
        let (f, g, d) = (memory.stash, memory.gradientStash, memory.workspace.derived)
        let (D, Z, E) = (c.dim, c.zDim, c.valueDim)
        restoreFactors(context, x: x, f, d, followsBackward: followsBackward)
        wh2.accumulateWeightGradient(
            context, gradient("wh2.weight"), FloatRows(g.dy, stride: D), FloatRows(d.mix, stride: E))
        wh1.accumulateWeightGradient(
            context, gradient("wh1.weight"), FloatRows(g.dy, stride: D), FloatRows(d.mx, stride: D))
        wzr.accumulateWeightGradient(
            context, gradient("wz.weight"), FloatRows(g.dzr, stride: Z + E), FloatRows(d.mx, stride: D))
        wv.accumulateWeightGradient(
            context, gradient("wv.weight"), FloatRows(g.dvl, stride: E), FloatRows(d.tn, stride: D))
    }
}
