import KernelInterface
import Numerics

/// Moving-average gated attention (MEGALODON.md), the first half of a layer.
///
///     tn = TN(x)   mx = RMS(CEMA(tn))   z = RMS_per_head(Wz mx + bz)   views of z: q, k, rotated by the place in C
///     v = silu(Wv tn + bv)   r = silu(Wr mx + br)   y = x + Wh1 mx + b1 + Wh2 (softmax(q . k) v * r)
///
/// over the tokens of the document in the token's own chunk, of C tokens.
final class MegalodonAttention: TokenMixer {
    let c: MegalodonConfiguration
    private let layer: Int
    private var tensors: BoundTensors?
    private var boundNorm: TimestepNorm?
    let ema: ComplexEMA
    let averageNorm: FeatureNorm
    let attention: WindowAttention
    let wzr: LinearMap
    let wv: LinearMap
    let wh1: LinearMap
    let wh2: LinearMap

    init(_ c: MegalodonConfiguration, layer: Int) {
        self.c = c
        self.layer = layer
        ema = c.movingAverage
        averageNorm = FeatureNorm(c.averageNorm(layer: layer))
        attention = c.chunkAttention
        let shapes = Self.mapShapes(c)
        wzr = LinearMap(shapes.wzr)
        wv = LinearMap(shapes.wv)
        wh1 = LinearMap(shapes.wh1)
        wh2 = LinearMap(shapes.wh2)
    }

    private static func prefix(_ layer: Int) -> String { "layers.\(layer).mega." }

    static func mapShapes(
        _ c: MegalodonConfiguration
    ) -> (wzr: LinearMap.Shape, wv: LinearMap.Shape, wh1: LinearMap.Shape, wh2: LinearMap.Shape) {
        (
            LinearMap.Shape(outputs: c.zDim + c.valueDim, inputs: c.dim),
            LinearMap.Shape(outputs: c.valueDim, inputs: c.dim), LinearMap.Shape(outputs: c.dim, inputs: c.dim),
            LinearMap.Shape(outputs: c.dim, inputs: c.valueDim)
        )
    }

    private static func normNames(_ layer: Int) -> (weight: String, bias: String) {
        (prefix(layer) + "timenorm.weight", prefix(layer) + "timenorm.bias")
    }

    static func parameters(_ c: MegalodonConfiguration, layer: Int) -> [ParameterSpec] {
        let (prefix, norm) = (prefix(layer), normNames(layer))
        let (D, Z, E, N) = (c.dim, c.zDim, c.valueDim, c.emaDim)
        let map = Initializer.normal(1 / (3 * Double(D)).squareRoot())
        return TimestepNorm.parameters(dim: c.dim, weight: norm.weight, bias: norm.bias) + [
            ParameterSpec(prefix + "cema.alpha", [D, N], .normal(0.2)),
            ParameterSpec(prefix + "cema.delta", [D, N], .normal(0.2)),
            ParameterSpec(prefix + "cema.theta", [D], .permutedFrequencies),
            ParameterSpec(prefix + "cema.gamma", [D, N, 2], .realNormal(1)),
            ParameterSpec(prefix + "cema.omega", [D], .normalWithin(0.25, deviations: 4)),
        ] + c.averageNorm(layer: layer).parameters + [
            ParameterSpec(prefix + "wv.weight", [E, D], map, decays: true),
            ParameterSpec(prefix + "wv.bias", [E], .constant(0)),
            ParameterSpec(prefix + "wz.weight", [Z, D], map, decays: true),
            ParameterSpec(prefix + "wr.weight", [E, D], map, decays: true, joinsPrevious: true),
            ParameterSpec(prefix + "wz.bias", [Z], .constant(0)),
            ParameterSpec(prefix + "wr.bias", [E], .constant(0), joinsPrevious: true),
            ParameterSpec(prefix + "wh1.weight", [D, D], map, decays: true),
            ParameterSpec(prefix + "wh1.bias", [D], .constant(0)),
            ParameterSpec(prefix + "wh2.weight", [D, E], .normal(1 / (3 * Double(E)).squareRoot()), decays: true),
            ParameterSpec(prefix + "gamma", [2, Z], .constant(0)),
            ParameterSpec(prefix + "beta", [2, Z], .constant(0)),
        ]
    }

    func bind(_ store: ParameterStore) {
        let norm = Self.normNames(layer)
        tensors = BoundTensors(store, prefix: Self.prefix(layer))
        boundNorm = TimestepNorm(
            dim: c.dim, groups: c.normGroups, eps: c.eps, store, weight: norm.weight, bias: norm.bias)
        averageNorm.bind(store)
    }

    func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }
    var timeNorm: TimestepNorm { boundNorm! }

    func beginStep() {
        for map in [wzr, wv, wh1, wh2] { map.beginStep() }
        ema.prepare(emaParameters)
    }

    private var emaParameters: ComplexEMA.Parameters {
        ComplexEMA.Parameters(
            alpha: value("cema.alpha"), delta: value("cema.delta"), theta: value("cema.theta"),
            gamma: value("cema.gamma"), omega: value("cema.omega"))
    }

    func endStep() {
        let gradients = ComplexEMA.ParameterGradients(
            alpha: gradient("cema.alpha"), delta: gradient("cema.delta"), theta: gradient("cema.theta"),
            gamma: gradient("cema.gamma"))
        ema.addParameterGradients(gradients, of: emaParameters)
    }
}
