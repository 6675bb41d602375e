import KernelInterface
import Numerics

/// Moving-average gated attention (MEGA.md), the first half of a layer:
///
///     n = LN(x)   v = silu(Wv n + bv)   e = silu(EMA(n) + omega n)   [u, z, r, hx] = Wm e + bm
///     q, k = silu(z) Gamma_j + Beta_j   a = weights(kappa q . k + b) v   c = silu(hx + Wh (a silu(r)) + bh)
///     y = x + sigmoid(u) (c - x)
///
/// over the tokens of the document in the token's own chunk, or all of them.
final class MegaAttention: TokenMixer {
    let c: MegaConfiguration
    private let prefix: String
    private var tensors: BoundTensors?
    let norm: FeatureNorm
    let ema: DampedEMA
    let bias: PositionBias
    let attention: WindowAttention
    let v, mx, h: LinearMap

    init(_ c: MegaConfiguration, layer: Int) {
        self.c = c
        prefix = Self.prefix(layer)
        norm = FeatureNorm(c.norm(prefix))
        ema = DampedEMA(dim: c.dim, orders: c.emaDim)
        bias = PositionBias(Self.bias(c, layer: layer))
        attention = c.chunkAttention
        let shapes = Self.mapShapes(c)
        v = LinearMap(shapes.v)
        mx = LinearMap(shapes.mx)
        h = LinearMap(shapes.h)
    }

    private static func prefix(_ layer: Int) -> String { "layers.\(layer).mega_layer." }

    private static func bias(_ c: MegaConfiguration, layer: Int) -> PositionBias.Form {
        PositionBias.Form(
            kind: c.positionBias, features: c.zDim, distances: max(1, c.maxPositions == 0 ? c.chunk : c.maxPositions),
            prefix: prefix(layer) + "rel_pos_bias.")
    }

    struct MapShapes {
        let v, mx, h: LinearMap.Shape
    }

    static func mapShapes(_ c: MegaConfiguration) -> MapShapes {
        MapShapes(
            v: LinearMap.Shape(outputs: c.valueDim, inputs: c.dim), mx: LinearMap.Shape(outputs: c.wide, inputs: c.dim),
            h: LinearMap.Shape(outputs: c.dim, inputs: c.valueDim))
    }

    static func parameters(_ c: MegaConfiguration, layer: Int) -> [ParameterSpec] {
        let prefix = prefix(layer)
        let (D, Z, E, N) = (c.dim, c.zDim, c.valueDim, c.emaDim)
        return c.norm(prefix).parameters + [
            ParameterSpec(prefix + "move.delta", [D, N], .normal(0.2)),
            ParameterSpec(prefix + "move.alpha", [D, N], .normal(0.2)),
            ParameterSpec(prefix + "move.beta", [D, N], .alternatingSigns(0.02, row: N)),
            ParameterSpec(prefix + "move.gamma", [D, N], .normal(1)),
            ParameterSpec(prefix + "move.omega", [D], .normal(1)),
            ParameterSpec(prefix + "v_proj.weight", [E, D], MegaConfiguration.map(columns: D), decays: true),
            ParameterSpec(prefix + "v_proj.bias", [E], .constant(0)),
            ParameterSpec(prefix + "mx_proj.weight", [c.wide, D], MegaConfiguration.map(columns: D), decays: true),
            ParameterSpec(prefix + "mx_proj.bias", [c.wide], .constant(0)),
            ParameterSpec(prefix + "h_proj.weight", [D, E], MegaConfiguration.map(columns: E), decays: true),
            ParameterSpec(prefix + "h_proj.bias", [D], .constant(0)),
            ParameterSpec(prefix + "gamma", [2, Z], .normal(0.02)),
            ParameterSpec(prefix + "beta", [2, Z], .constant(0)),
        ] + bias(c, layer: layer).parameters
    }

    func bind(_ store: ParameterStore) {
        tensors = BoundTensors(store, prefix: prefix)
        norm.bind(store)
        bias.bind(store)
    }

    func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }

    private var average: DampedEMA.Parameters {
        .init(
            alpha: value("move.alpha"), delta: value("move.delta"), beta: value("move.beta"),
            gamma: value("move.gamma"))
    }

    func beginStep() {
        ema.prepare(average)
        bias.prepare()
        if !c.seesAll { bias.reach(c.chunk) }
        for map in [v, mx, h] { map.beginStep() }
    }

    func endStep() {
        guard let tensors, tensors.trains else { return }
        ema.addParameterGradients(
            .init(
                alpha: gradient("move.alpha"), delta: gradient("move.delta"), beta: gradient("move.beta"),
                gamma: gradient("move.gamma")), of: average)
        bias.addParameterGradients()
    }

    /// Where u, z, r and hx begin in their rows.
    var columns: (u: Int, z: Int, r: Int, hx: Int) { (0, c.dim, c.dim + c.zDim, c.dim + c.zDim + c.valueDim) }

    /// The rows of all tokens where attention sees everything.
    private func rows(_ context: SliceContext) -> PrefixRows {
        guard let rows = context.prefix, rows.first == context.mega.start - context.mega.window.firstKey else {
            preconditionFailure("\(prefix) needs the rows of the whole sequence, from its first token kept on")
        }
        return rows
    }

    /// Keys and values from the window's first key on, or their gradients.
    struct KeyRows {
        let k, v: MutableFloatRows

        /// From row `first` on.
        func from(_ first: Int) -> KeyRows {
            KeyRows(
                k: MutableFloatRows(k.base + first * k.stride, stride: k.stride),
                v: MutableFloatRows(v.base + first * v.stride, stride: v.stride))
        }
    }

    private func keyRows(_ base: UnsafeMutablePointer<Float>) -> KeyRows {
        let width = Self.prefixWidth(c)
        return KeyRows(k: MutableFloatRows(base, stride: width), v: MutableFloatRows(base + c.zDim, stride: width))
    }

    private func keyRows(_ rows: MegaState.Rows) -> KeyRows {
        KeyRows(
            k: MutableFloatRows(rows.keys, stride: c.zDim), v: MutableFloatRows(rows.values, stride: c.valueDim))
    }

    func keyRows(_ context: SliceContext, _ f: Stash) -> KeyRows {
        c.seesAll ? keyRows(rows(context).values) : keyRows(f.window)
    }

    func keyGradientRows(_ context: SliceContext, _ w: Workspace) -> KeyRows {
        guard c.seesAll else { return keyRows(w.window) }
        guard let gradients = rows(context).gradients else { preconditionFailure("\(prefix) needs rows for gradients") }
        return keyRows(gradients)
    }

    /// Floats of a token's row where attention sees everything: its key beside its value.
    static func prefixWidth(_ c: MegaConfiguration) -> Int { c.seesAll ? c.zDim + c.valueDim : 0 }
}
