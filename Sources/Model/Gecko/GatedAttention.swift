import Hardware
import Numerics

/// Moving-average gated attention (GECKO.md, Block), the first half of a layer.
///
///     tn = TDN(x)   mx = RMS(CEMA(tn) + tn)   z = RMS_per_head(Wz mx + bz)   views of z: q, k (rotated), aq, ak
///     v = silu(Wv tn + bv)   r = silu(Wr mx + br)   y = x + Wh1 mx + b1 + Wh2 (SCA * r + AWM)
final class GatedAttention {
    private let c: GeckoConfiguration
    private let index: Int
    private let prefix: String
    private var tensors: BoundTensors?
    let ema: ComplexEMA
    private let sca: SlidingChunkAttention
    private let awm: AdaptiveWorkingMemory
    private let wzr: LinearMap
    private let wv: LinearMap
    private let wh1: LinearMap
    private let wh2: LinearMap
    private let inputDropout: Dropout
    private let mixDropout: Dropout
    private let outputDropout: Dropout

    init(_ c: GeckoConfiguration, layer: Int) {
        self.c = c
        index = layer
        prefix = "layers.\(layer).mega."
        ema = ComplexEMA(dim: c.dim, orders: c.emaDim)
        sca = SlidingChunkAttention(
            heads: c.heads, keyDim: c.keyDim, valueDim: c.headValueDim, chunk: c.chunk, dropRate: c.attentionDropout,
            layer: layer)
        wzr = LinearMap(outputs: c.zDim + c.valueDim, inputs: c.dim)
        wv = LinearMap(outputs: c.valueDim, inputs: c.dim)
        wh1 = LinearMap(outputs: c.dim, inputs: c.dim)
        wh2 = LinearMap(outputs: c.dim, inputs: c.valueDim)
        awm = AdaptiveWorkingMemory(heads: c.heads, keyDim: c.keyDim, valueDim: c.headValueDim, chunk: c.chunk)
        inputDropout = Dropout(rate: c.hiddenDropout, layer: layer, site: 0)
        mixDropout = Dropout(rate: c.hiddenDropout, layer: layer, site: 1)
        outputDropout = Dropout(rate: c.dropout, layer: layer, site: 2)
    }

    var parameters: [ParameterSpec] {
        let (D, Z, E, N) = (c.dim, c.zDim, c.valueDim, c.emaDim)
        let map = Initializer.normal(1 / (3 * Double(D)).squareRoot())
        var specs = [
            ParameterSpec(prefix + "timenorm.weight", [D], .constant(0)),
            ParameterSpec(prefix + "timenorm.bias", [D], .constant(0)),
            ParameterSpec(prefix + "cema.alpha", [D, N], .normal(0.2)),
            ParameterSpec(prefix + "cema.delta", [D, N], .normal(0.2)),
            ParameterSpec(prefix + "cema.theta", [D], .permutedFrequencies),
            ParameterSpec(prefix + "cema.gamma", [D, N, 2], .realNormal(1 / Double(N).squareRoot())),
        ]
        if c.normAffine { specs.append(ParameterSpec(prefix + "rmsnorm.weight", [D], .constant(0))) }
        return specs + [
            ParameterSpec(prefix + "wv.weight", [E, D], map, decays: true),
            ParameterSpec(prefix + "wv.bias", [E], .constant(0)),
            ParameterSpec(prefix + "wz.weight", [Z, D], map, decays: true),
            ParameterSpec(prefix + "wr.weight", [E, D], map, decays: true, joinsPrevious: true),
            ParameterSpec(prefix + "wz.bias", [Z], .constant(0)),
            ParameterSpec(prefix + "wr.bias", [E], .constant(0), joinsPrevious: true),
            ParameterSpec(prefix + "wh1.weight", [D, D], map, decays: true),
            ParameterSpec(prefix + "wh1.bias", [D], .constant(0)),
            ParameterSpec(prefix + "wh2.weight", [D, E], .normal(1 / (3 * Double(E)).squareRoot()), decays: true),
            ParameterSpec(prefix + "gamma", [4, Z], .constant(0)),
            ParameterSpec(prefix + "beta", [4, Z], .constant(0)),
        ]
    }

    var maps: [LinearMap] { [wzr, wv, wh1, wh2] }

    func bind(_ store: ParameterStore) { tensors = BoundTensors(store, prefix: prefix) }

    private func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    private func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }

    private var timeNorm: TimestepDecayNorm {
        let trains = tensors!.trains
        return TimestepDecayNorm(
            dim: c.dim, groups: c.normGroups, beta1: c.beta1, beta2: c.beta2, eps: c.eps,
            weight: value("timenorm.weight"), bias: value("timenorm.bias"),
            weightGradient: trains ? gradient("timenorm.weight") : nil,
            biasGradient: trains ? gradient("timenorm.bias") : nil)
    }

    func beginStep() {
        for map in maps { map.beginStep() }
        ema.prepare(
            alpha: value("cema.alpha"), delta: value("cema.delta"), theta: value("cema.theta"),
            gamma: value("cema.gamma"))
    }

    func endStep() {
        ema.addParameterGradients(
            alpha: value("cema.alpha"), delta: value("cema.delta"), theta: value("cema.theta"),
            alphaGradient: gradient("cema.alpha"), deltaGradient: gradient("cema.delta"),
            thetaGradient: gradient("cema.theta"), gammaGradient: gradient("cema.gamma"))
    }

    /// What the backward needs of one slice.
    struct Stash {
        let mhat, tr, tn, entries, s, sr, mx, zr, zs, q, aq, k, ak, v, vl, attended, top, total, memory,
            mix: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry, _ layer: GatedAttention) {
            let T = g.length
            let keys = g.window + T
            mhat = carver.take(T * c.normGroups)
            tr = carver.take(T * c.normGroups)
            tn = carver.take(T * c.dim)
            entries = carver.take(layer.ema.entryCount(tiles: g.tiles))
            s = carver.take(T * c.dim)
            sr = carver.take(T * c.lnGroups)
            mx = carver.take(T * c.dim)
            zr = carver.take(T * (c.zDim + c.valueDim))
            zs = carver.take(T * c.heads)
            q = carver.take(T * c.zDim)
            aq = carver.take(T * c.zDim)
            k = carver.take(keys * c.zDim)
            ak = carver.take(keys * c.zDim)
            v = carver.take(keys * c.valueDim)
            vl = carver.take(T * c.valueDim)
            attended = carver.take(T * c.valueDim)
            top = carver.take(T * c.heads)
            total = carver.take(T * c.heads)
            memory = carver.take(layer.awm.stash(pieces: g.pieces))
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
        let awm, dmix, dattended, dq, daq, dk, dak, dv, dmx, ds, dtn, dz, workers: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ g: SliceGeometry, _ layer: GatedAttention) {
            let T = g.length
            let keys = g.window + T
            awm = carver.take(T * c.valueDim)
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
                    4 * c.normGroups, layer.ema.workspace(workers: g.workers), layer.sca.workspace(workers: g.workers),
                    layer.awm.workspace(workers: g.workers)))
        }
    }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, entry: LayerState,
        exit: LayerState, stash f: Stash, workspace w: Workspace
    ) {
        let team = context.team
        let kernels = context.kernels
        let plan = context.plan
        let (T, D, Z, E) = (plan.length, c.dim, c.zDim, c.valueDim)
        let n = plan.window
        team.alone(as: .elementwise) { exit.copyRecurrences(from: entry) }
        timeNorm.forward(context, x: x, y: f.tn, mean: exit.mean, variance: exit.variance, mhat: f.mhat, r: f.tr)
        ema.forward(context, x: f.tn, y: f.s, state: exit.ema, entries: f.entries, scratch: w.workers)
        let rms = c.normAffine ? value("rmsnorm.weight") : nil
        team.share(T, as: .norms) { _, rows in
            let o = rows.lowerBound * D
            kernels.rmsNorm(
                f.mx + o, D, f.sr + rows.lowerBound * c.lnGroups, f.s + o, D, rms, rows.count, D, c.lnGroups,
                Float(c.eps))
        }
        inputDropout.apply(context, f.mx, f.mx, D)
        wzr.forward(context, value("wz.weight"), f.mx, D, 0, f.zr, Z + E)
        wv.forward(context, value("wv.weight"), f.tn, D, 0, f.vl, E)
        let values = f.v + n * E
        team.share(T) { _, rows in
            let t = rows.lowerBound
            let zr = f.zr + t * (Z + E)
            kernels.addRow(zr, Z + E, zr, Z + E, value("wz.bias"), rows.count, Z + E)
            kernels.headScales(f.zs + t * c.heads, zr, Z + E, rows.count, Z, c.heads, Float(c.eps))
            kernels.queryViews(
                f.q + t * Z, f.k + (n + t) * Z, f.aq + t * Z, f.ak + (n + t) * Z, zr, Z + E, f.zs + t * c.heads,
                value("gamma"), value("beta"), rows.count, Z, c.heads)
            kernels.biasSilu(f.vl + t * E, E, value("wv.bias"), values + t * E, E, rows.count, E)
        }
        rotate(context, f.q, direction: 1)
        rotate(context, f.k + n * Z, direction: 1)
        team.alone(as: .elementwise) { entry.copyWindow(to: (f.k, f.ak, f.v), rows: n) }
        sca.forward(
            context, q: f.q, k: f.k, v: f.v, y: f.attended, top: f.top, total: f.total, scratch: w.workers)
        awm.forward(
            context, q: f.aq, k: f.ak, v: f.v, y: w.awm, memory: exit.memory, lognorm: exit.lognorm, stash: f.memory,
            scratch: w.workers)
        let cut = plan.newWindowStart - plan.windowStart
        team.alone(as: .elementwise) {
            exit.setWindow(from: (f.k + cut * Z, f.ak + cut * Z, f.v + cut * E), rows: plan.newWindow)
        }
        team.share(T) { _, rows in
            let o = rows.lowerBound * E
            kernels.gatedMix(
                f.mix + o, f.attended + o, f.zr + rows.lowerBound * (Z + E) + Z, Z + E, w.awm + o, rows.count, E)
        }
        mixDropout.apply(context, f.mix, f.mix, E)
        output(context, x: x, y: y, stash: f)
    }

    /// y = x + dropout(Wh1 mx + b1 + Wh2 mix).
    private func output(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, stash f: Stash
    ) {
        let team = context.team
        let kernels = context.kernels
        let (T, D, E) = (context.length, c.dim, c.valueDim)
        let drops = outputDropout.isActive(context)
        if !drops {
            team.share(T) { _, rows in
                let o = rows.lowerBound * D
                kernels.addRow(y + o, D, x + o, D, value("wh1.bias"), rows.count, D)
            }
        }
        wh1.forward(context, value("wh1.weight"), f.mx, D, drops ? 0 : 1, y, D)
        wh2.forward(context, value("wh2.weight"), f.mix, E, 1, y, D)
        if drops {
            team.alone(as: .elementwise) { kernels.addRow(y, D, y, D, value("wh1.bias"), T, D) }
            outputDropout.apply(context, y, y, D)
            team.alone(as: .elementwise) { kernels.addTo(y, x, T * D) }
        }
    }

    private func rotate(_ context: SliceContext, _ x: UnsafeMutablePointer<Float>, direction: Float) {
        if c.ropeHeads == 0 { return }
        let (Z, dz) = (c.zDim, c.keyDim)
        let plan = context.plan
        plan.cosines.withUnsafeBufferPointer { cosines in
            plan.sines.withUnsafeBufferPointer { sines in
                let cosine = cosines.baseAddress!
                let sine = sines.baseAddress!
                context.team.share(plan.length) { _, rows in
                    let t = rows.lowerBound
                    context.kernels.rotate(
                        x + t * Z, Z, cosine + t * dz, sine + t * dz, direction, rows.count, dz, c.ropeHeads)
                }
            }
        }
    }

    /// dy -> dx (the residual included).
    func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>,
        stateGradient: LayerState, stash f: Stash, gradientStash g: GradientStash, workspace w: Workspace
    ) {
        let team = context.team
        let kernels = context.kernels
        let plan = context.plan
        let (T, D, Z, E) = (plan.length, c.dim, c.zDim, c.valueDim)
        let n = plan.window
        let keys = n + T
        let cut = plan.newWindowStart - plan.windowStart

        outputDropout.apply(context, dy, g.dh, D)
        wh2.backward(context, value("wh2.weight"), g.dh, D, 0, w.dmix, E)
        mixDropout.apply(context, w.dmix, w.dmix, E)
        wh1.backward(context, value("wh1.weight"), g.dh, D, 0, w.dmx, D)
        team.share(T) { _, rows in
            let o = rows.lowerBound * E
            let r = rows.lowerBound * (Z + E) + Z
            kernels.gatedMixBackward(
                w.dattended + o, g.dzr + r, Z + E, w.dmix + o, f.attended + o, f.zr + r, Z + E, rows.count, E)
        }
        // The window handed on is the tail of the keys and values held here: its gradient is where theirs begins.
        team.alone(as: .elementwise) {
            stateGradient.copyWindowGradient(to: (w.dk, w.dak, w.dv), keys: keys, from: cut, rows: plan.newWindow)
        }
        sca.backward(
            context, dy: w.dattended, y: f.attended, q: f.q, k: f.k, v: f.v, top: f.top, total: f.total, dq: w.dq,
            dk: w.dk, dv: w.dv, scratch: w.workers)
        awm.backward(
            context, dy: w.dmix, q: f.aq, k: f.ak, v: f.v, dq: w.daq, dk: w.dak, dv: w.dv,
            memoryGradient: stateGradient.memory, lognormGradient: stateGradient.lognorm, stash: f.memory,
            scratch: w.workers)
        team.alone(as: .elementwise) { stateGradient.setWindow(from: (w.dk, w.dak, w.dv), rows: n) }

        let dk = w.dk + n * Z
        let dak = w.dak + n * Z
        let dv = w.dv + n * E
        rotate(context, w.dq, direction: -1)
        rotate(context, dk, direction: -1)
        let gamma = value("gamma")
        let dgamma = gradient("gamma")
        let dbeta = gradient("beta")
        team.share(Z, grain: 16) { _, columns in
            func add(_ j: Int, _ d: UnsafePointer<Float>) {
                kernels.queryViewWeight(
                    dgamma + j * Z, dbeta + j * Z, d, f.zr, Z + E, f.zs, T, Z, c.heads, columns.lowerBound,
                    columns.upperBound)
            }
            add(0, w.dq)
            add(1, dk)
            add(2, w.daq)
            add(3, dak)
        }
        team.share(T) { _, rows in
            let t = rows.lowerBound
            kernels.queryViewsBackward(
                w.dz + t * Z, w.dq + t * Z, dk + t * Z, w.daq + t * Z, dak + t * Z, gamma, rows.count, Z, c.heads)
            kernels.rmsNormBackward(
                g.dzr + t * (Z + E), Z + E, w.dz + t * Z, Z, f.zr + t * (Z + E), Z + E, f.zs + t * c.heads, nil,
                rows.count, Z, c.heads)
            kernels.siluBackward(g.dvl + t * E, E, dv + t * E, E, f.vl + t * E, E, rows.count, E)
        }
        addBiasGradients(context, g)

        wzr.backward(context, value("wz.weight"), g.dzr, Z + E, 1, w.dmx, D)
        inputDropout.apply(context, w.dmx, w.dmx, D)
        let rms = c.normAffine ? value("rmsnorm.weight") : nil
        team.share(T, as: .norms) { _, rows in
            let o = rows.lowerBound * D
            kernels.rmsNormBackward(
                w.ds + o, D, w.dmx + o, D, f.s + o, D, f.sr + rows.lowerBound * c.lnGroups, rms, rows.count, D,
                c.lnGroups)
        }
        if c.normAffine {
            let dw = gradient("rmsnorm.weight")
            team.share(D, grain: 16, as: .norms) { _, columns in
                kernels.rmsNormWeight(
                    dw, w.dmx, f.s, f.sr, T, D, c.lnGroups, columns.lowerBound, columns.upperBound)
            }
        }
        ema.backward(
            context, dy: w.ds, dx: w.dtn, x: f.tn, entries: f.entries, stateGradient: stateGradient.ema,
            scratch: w.workers)
        wv.backward(context, value("wv.weight"), g.dvl, E, 1, w.dtn, D)
        timeNorm.backward(
            context, dy: w.dtn, dx: w.ds, x: x, mhat: f.mhat, r: f.tr, meanGradient: stateGradient.mean,
            varianceGradient: stateGradient.variance, scratch: w.workers)
        team.share(T) { _, rows in
            let o = rows.lowerBound * D
            if dx != UnsafeMutablePointer(mutating: dy) { (dx + o).update(from: dy + o, count: rows.count * D) }
            kernels.addTo(dx + o, w.ds + o, rows.count * D)
        }
    }

    private func addBiasGradients(_ context: SliceContext, _ g: GradientStash) {
        let (T, D, ZE, E) = (context.length, c.dim, c.zDim + c.valueDim, c.valueDim)
        func add(_ d: UnsafePointer<Float>, _ columns: Int, to out: UnsafeMutablePointer<Float>) {
            context.team.share(columns, grain: 16) { _, part in
                context.kernels.columnSums(d + part.lowerBound, T, part.count, columns, out + part.lowerBound)
            }
        }
        add(g.dzr, ZE, to: gradient("wz.bias"))
        add(g.dvl, E, to: gradient("wv.bias"))
        add(g.dh, D, to: gradient("wh1.bias"))
    }

    func accumulateWeightGradients(_ context: SliceContext, stash f: Stash, gradientStash g: GradientStash) {
        let (D, Z, E) = (c.dim, c.zDim, c.valueDim)
        wh2.accumulateWeightGradient(context, gradient("wh2.weight"), g.dh, D, f.mix, E)
        wh1.accumulateWeightGradient(context, gradient("wh1.weight"), g.dh, D, f.mx, D)
        wzr.accumulateWeightGradient(context, gradient("wz.weight"), g.dzr, Z + E, f.mx, D)
        wv.accumulateWeightGradient(context, gradient("wv.weight"), g.dvl, E, f.tn, D)
    }
}
