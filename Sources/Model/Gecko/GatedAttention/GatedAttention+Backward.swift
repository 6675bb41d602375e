import Hardware
import KernelInterface
import Numerics

extension GatedAttention {
    func outputGradient(_ memory: Memory) -> UnsafeMutablePointer<Float> { memory.workspace.dy }

    /// The gradient of y -> dx (the residual included).
    func backward(
        _ context: SliceContext, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, stateGradient: MixerState,
        _ memory: Memory
    ) {
        let stateGradient = LayerState.at(stateGradient.exit, c, stateGradient.shape)
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let team = context.team
        let kernels = context.kernels
        let plan = context.plan
        let (T, D, Z, E) = (plan.length, c.dim, c.zDim, c.valueDim)
        let n = plan.window
        let keys = n + T
        let cut = plan.newWindowStart - plan.windowStart
        let d = w.derived

        restore(context, x: x, f, d)
        outputDropout.apply(context, w.dy, g.dh, D)
        wh2.backward(context, value("wh2.weight"), FloatRows(g.dh, stride: D), to: Destination(w.dmix, stride: E))
        mixDropout.apply(context, w.dmix, w.dmix, E)
        wh1.backward(context, value("wh1.weight"), FloatRows(g.dh, stride: D), to: Destination(w.dmx, stride: D))
        gateBackward(context, f, g, w)
        // The window handed on is the tail of the keys and values held here: its gradient is where theirs begins.
        team.alone(as: .elementwise) {
            stateGradient.copyWindowGradient(to: (w.dk, w.dak, w.dv), keys: keys, from: cut, rows: plan.newWindow)
        }
        sca.backward(
            context, plan.attention, d.attention(f, c),
            .init(
                y: w.dattended, q: w.dq, k: MutableFloatRows(w.dk, stride: Z), v: MutableFloatRows(w.dv, stride: E)),
            scratch: w.workers)
        awm?.backward(
            context, d.memory,
            .init(y: w.dmix, q: w.daq, k: w.dak, v: w.dv, memory: stateGradient.workingMemory), stash: f.memory,
            scratch: w.workers)
        team.alone(as: .elementwise) { stateGradient.setWindow(from: (w.dk, w.dak, w.dv), rows: n) }

        viewsBackward(context, f, g, w)
        addBiasGradients(context, g)

        wzr.backward(
            context, value("wz.weight"), FloatRows(g.dzr, stride: Z + E), to: Destination(w.dmx, stride: D, adds: true))
        inputDropout.apply(context, w.dmx, w.dmx, D)
        normaliseBackward(context, f, w)
        ema?.backward(
            context, dy: w.ds, dx: w.dtn, .init(x: d.tn, entries: f.entries, tiles: plan.tiles),
            stateGradient: stateGradient.ema,
            scratch: w.workers)
        wv.backward(
            context, value("wv.weight"), FloatRows(g.dvl, stride: E), to: Destination(w.dtn, stride: D, adds: true))
        timeNorm.backward(
            context, dy: w.dtn, dx: w.ds, f.norm(x), stateGradient: stateGradient.norm, scratch: w.workers)
        team.share(T) { _, rows in
            let o = rows.lowerBound * D
            (dx + o).update(from: w.dy + o, count: rows.count * D)
            kernels.tokens.elementwise.addTo(dx + o, w.ds + o, rows.count * D)
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
        let team = context.team
        let kernels = context.kernels
        let (T, Z, E) = (context.length, c.zDim, c.valueDim)
        let n = context.plan.window
        let dk = w.dk + n * Z
        let dak = w.dak + n * c.memoryKeyDim
        let dv = w.dv + n * E
        rotate(context, w.dq, direction: -1)
        rotate(context, dk, direction: -1)
        let gamma = value("gamma")
        let dgamma = gradient("gamma")
        let dbeta = gradient("beta")
        team.share(Z, grain: 16) { _, columns in
            func add(_ j: Int, _ d: UnsafePointer<Float>) {
                kernels.tokens.queries.queryViewWeight(
                    QueryViewWeightArguments(
                        dgamma: dgamma + j * Z, dbeta: dbeta + j * Z, dview: d, z: FloatRows(f.zr, stride: Z + E),
                        scales: f.zs, shape: headed(T), columns: columns))
            }
            add(0, w.dq)
            add(1, dk)
            guard c.memory else { return }
            add(2, w.daq)
            add(3, dak)
        }
        team.share(T) { _, rows in
            let t = rows.lowerBound
            kernels.tokens.queries.queryViewsBackward(
                QueryViewsBackwardArguments(
                    dz: w.dz + t * Z,
                    views: QueryViewGradients(
                        q: w.dq + t * Z, k: dk + t * Z, memoryQ: c.memory ? w.daq + t * Z : nil,
                        memoryK: c.memory ? dak + t * Z : nil), gamma: gamma,
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

    /// The gradient of s, and of the norm's weight, from that of mx. Without an EMA s is tn.
    private func normaliseBackward(_ context: SliceContext, _ f: Stash, _ w: Workspace) {
        let team = context.team
        let kernels = context.kernels
        let (T, D) = (context.length, c.dim)
        let rms = c.normAffine ? value("rmsnorm.weight") : nil
        let s = smoothed(f, w.derived)
        let ds = ema == nil ? w.dtn : w.ds
        team.share(T, as: .norms) { _, rows in
            let o = rows.lowerBound * D
            kernels.tokens.featureNorms.rmsNormBackward(
                RMSNormBackwardArguments(
                    dx: MutableFloatRows(ds + o, stride: D), dy: FloatRows(w.dmx + o, stride: D),
                    x: FloatRows(s + o, stride: D), scales: f.sr + rows.lowerBound * c.lnGroups, weight: rms,
                    shape: grouped(rows.count)))
        }
        if c.normAffine {
            let dw = gradient("rmsnorm.weight")
            team.share(D, grain: 16, as: .norms) { _, columns in
                kernels.tokens.featureNorms.rmsNormWeight(
                    RMSNormWeightArguments(
                        dweight: dw, dy: w.dmx, x: s, scales: f.sr, shape: grouped(T), columns: columns))
            }
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
        add(g.dh, D, to: gradient("wh1.bias"))
    }

    /// - Parameter followsBackward: the workspace is still as the slice's `backward` left it
    func accumulateWeightGradients(
        _ context: SliceContext, x: UnsafePointer<Float>, _ memory: Memory, followsBackward: Bool
    ) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let (D, Z, E) = (c.dim, c.zDim, c.valueDim)
        let d = w.derived
        restoreFactors(context, x: x, f, d, followsBackward: followsBackward, scratch: w.workers)
        wh2.accumulateWeightGradient(
            context, gradient("wh2.weight"), FloatRows(g.dh, stride: D), FloatRows(d.mix, stride: E))
        wh1.accumulateWeightGradient(
            context, gradient("wh1.weight"), FloatRows(g.dh, stride: D), FloatRows(d.mx, stride: D))
        wzr.accumulateWeightGradient(
            context, gradient("wz.weight"), FloatRows(g.dzr, stride: Z + E), FloatRows(d.mx, stride: D))
        wv.accumulateWeightGradient(
            context, gradient("wv.weight"), FloatRows(g.dvl, stride: E), FloatRows(d.tn, stride: D))
    }
}
