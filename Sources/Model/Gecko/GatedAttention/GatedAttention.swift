import KernelInterface
import Numerics

/// Moving-average gated attention (GECKO.md, Block), the first half of a layer.
///
///     tn = TDN(x)   mx = RMS(CEMA(tn) + tn)   z = RMS_per_head(Wz mx + bz)   views of z: q, k (rotated), aq, ak
///     v = silu(Wv tn + bv)   r = silu(Wr mx + br)   y = x + Wh1 mx + b1 + Wh2 (SCA * r + AWM)
final class GatedAttention: TokenMixer {
    let c: GeckoConfiguration
    private let prefix: String
    private var tensors: BoundTensors?
    private var boundNorm: GeckoNorm?
    /// nil: a model without it, where mx = RMS(tn).
    let ema: ComplexEMA?
    let sca: WindowAttention
    /// nil: a model without it, which has two views of z.
    let awm: AdaptiveWorkingMemory?
    let wzr: LinearMap
    let wv: LinearMap
    let wh1: LinearMap
    let wh2: LinearMap
    let inputDropout: Dropout
    let mixDropout: Dropout
    let outputDropout: Dropout

    init(_ c: GeckoConfiguration, layer: Int) {
        self.c = c
        prefix = Self.prefix(layer)
        ema = c.ema ? ComplexEMA(dim: c.dim, orders: c.emaDim) : nil
        sca = c.chunkAttention(layer: layer)
        let shapes = Self.mapShapes(c)
        wzr = LinearMap(shapes.wzr)
        wv = LinearMap(shapes.wv)
        wh1 = LinearMap(shapes.wh1)
        wh2 = LinearMap(shapes.wh2)
        awm = c.workingMemory
        inputDropout = Dropout(rate: c.hiddenDropout, layer: layer, site: DropoutSite.attentionInput)
        mixDropout = Dropout(rate: c.hiddenDropout, layer: layer, site: DropoutSite.attentionMix)
        outputDropout = Dropout(rate: c.dropout, layer: layer, site: DropoutSite.attentionOutput)
    }

    private static func prefix(_ layer: Int) -> String { "layers.\(layer).mega." }

    static func mapShapes(
        _ c: GeckoConfiguration
    ) -> (wzr: LinearMap.Shape, wv: LinearMap.Shape, wh1: LinearMap.Shape, wh2: LinearMap.Shape) {
        (
            LinearMap.Shape(outputs: c.zDim + c.valueDim, inputs: c.dim),
            LinearMap.Shape(outputs: c.valueDim, inputs: c.dim), LinearMap.Shape(outputs: c.dim, inputs: c.dim),
            LinearMap.Shape(outputs: c.dim, inputs: c.valueDim)
        )
    }

    static func parameters(_ c: GeckoConfiguration, layer: Int) -> [ParameterSpec] {
        let prefix = prefix(layer)
        let (D, Z, E, N) = (c.dim, c.zDim, c.valueDim, c.emaDim)
        let map = Initializer.normal(1 / (3 * Double(D)).squareRoot())
        var specs = [
            ParameterSpec(prefix + "timenorm.weight", [D], .constant(0)),
            ParameterSpec(prefix + "timenorm.bias", [D], .constant(0)),
        ]
        if c.ema {
            specs += [
                ParameterSpec(prefix + "cema.alpha", [D, N], .normal(0.2)),
                ParameterSpec(prefix + "cema.delta", [D, N], .normal(0.2)),
                ParameterSpec(prefix + "cema.theta", [D], .permutedFrequencies),
                ParameterSpec(prefix + "cema.gamma", [D, N, 2], .realNormal(1 / Double(N).squareRoot())),
            ]
        }
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
            ParameterSpec(prefix + "gamma", [c.viewCount, Z], .constant(0)),
            ParameterSpec(prefix + "beta", [c.viewCount, Z], .constant(0)),
        ]
    }

    private var maps: [LinearMap] { [wzr, wv, wh1, wh2] }

    func bind(_ store: ParameterStore) {
        tensors = BoundTensors(store, prefix: prefix)
        boundNorm = GeckoNorm(c, store, weight: prefix + "timenorm.weight", bias: prefix + "timenorm.bias")
    }

    func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }

    var timeNorm: GeckoNorm { boundNorm! }

    func beginStep() {
        for map in maps { map.beginStep() }
        ema?.prepare(emaParameters)
    }

    private var emaParameters: ComplexEMA.Parameters {
        ComplexEMA.Parameters(
            alpha: value("cema.alpha"), delta: value("cema.delta"), theta: value("cema.theta"),
            gamma: value("cema.gamma"))
    }

    func endStep() {
        guard let ema else { return }
        let gradients = ComplexEMA.ParameterGradients(
            alpha: gradient("cema.alpha"), delta: gradient("cema.delta"), theta: gradient("cema.theta"),
            gamma: gradient("cema.gamma"))
        ema.addParameterGradients(gradients, of: emaParameters)
    }
}
