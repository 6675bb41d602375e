import Glibc
import Hardware
import KernelInterface
import Model
import Numerics
import TestSupport
import Testing

@Suite struct TimestepDecayNormTests {
    private static let (beta1, beta2, eps) = (0.9, 0.95, 1e-3)

    /// GECKO.md, TDN, token by token; x [T, D], state mean and variance [G].
    private static func equation(
        _ stream: RandomStream, from start: Int, D: Int, G: Int, _ a: Arguments
    ) -> Arguments {
        let n = D / G
        let rules = TokenRules(stream)
        var out: Arguments = ["y": a["x"]!, "mean": a["mean"]!, "variance": a["variance"]!]
        for t in 0..<a["x"]!.count / D {
            for g in 0..<G {
                let features = (0..<n).map { a["x"]![t * D + g * n + $0] }
                let u = features.reduce(0, +) / Double(n)
                let s = features.reduce(0) { $0 + ($1 - u) * ($1 - u) } / Double(n)
                let keep = stream.bos?[start + t] == true ? 0.0 : 1
                out["mean"]![g] = keep * beta1 * out["mean"]![g] + (1 - beta1) * u
                out["variance"]![g] = keep * beta2 * out["variance"]![g] + (1 - beta2) * s
                let count = Double(rules.count(start + t))
                let m = out["mean"]![g] / (1 - pow(beta1, count))
                let r = 1 / (out["variance"]![g] / (1 - pow(beta2, count)) + eps).squareRoot()
                for i in 0..<n {
                    let d = g * n + i
                    out["y"]![t * D + d] = (features[i] - m) * r * (1 + a["weight"]![d]) + a["bias"]![d]
                }
            }
        }
        return out
    }

    @Test(arguments: [(6, 2), (6, 6), (12, 2), (32, 2), (34, 2), (40, 1)], [nil, [0, 3, 4], [2]])
    func outputsAndGradients(shape: (D: Int, G: Int), bos: [Int]?) {
        let (D, G) = shape
        // The slice begins three tokens into the stream: the averages hold something already.
        let stream = RandomStream(
            length: 10, chunk: 64, bos: bos.map { bos in (0..<10).map { bos.contains($0 - 3) } })
        let T = 7
        var noise = Noise(631)
        let (x, weight, bias) = (noise.floats(T * D, scale: 2), noise.floats(D), noise.floats(D))
        let (mean, variance) = (noise.floats(G, scale: 0.2), noise.floats(G, scale: 0.05).map { 0.1 + $0 })
        let up = ["y": noise.floats(T * D), "mean": noise.floats(G), "variance": noise.floats(G)]
        let (dw, db) = (FloatBuffer(D), FloatBuffer(D))
        let (w, b) = (FloatBuffer(weight), FloatBuffer(bias))
        let norm = TimestepDecayNorm(
            dim: D, groups: G, averages: .init(beta1: Self.beta1, beta2: Self.beta2, eps: Self.eps),
            parameters: TimestepNormParameters(weight: w.base, bias: b.base),
            gradients: TimestepNormParameterGradients(weight: dw.base, bias: db.base))
        let plan = stream.plan(stream.cursor(at: 3), length: T)
        let (y, mhat, r) = (FloatBuffer(T * D), FloatBuffer(T * G), FloatBuffer(T * G))
        let (m, v) = (FloatBuffer(mean), FloatBuffer(variance))
        let read = FloatBuffer(x)
        let kept = TimestepDecayNorm.Kept(x: read.base, means: mhat.base, scales: r.base)
        norm.forward(context(plan), kept, y: y.base, state: TimestepNormState(mean: m.base, variance: v.base))
        let again = FloatBuffer(T * D)
        norm.again(context(plan), kept, y: again.base)
        #expect(again.values == y.values, "the backward's copy must have the forward's bits")
        let dx = FloatBuffer(T * D)
        let (dm, dv) = (FloatBuffer(up["mean"]!), FloatBuffer(up["variance"]!))
        let scratch = FloatBuffer(norm.workspace)
        norm.backward(
            context(plan), dy: up["y"]!, dx: dx.base, kept,
            stateGradient: TimestepNormState(mean: dm.base, variance: dv.base), scratch: scratch.base)
        withExtendedLifetime((w, b, read, mhat, r)) {}
        expectAgreement(
            "\(D) features in \(G) groups, documents at \(bos ?? [])",
            outputs: ["y": y.values, "mean": m.values, "variance": v.values],
            gradients: [
                "x": dx.values, "mean": dm.values, "variance": dv.values, "weight": dw.values, "bias": db.values,
            ], up: up,
            at: [
                "x": doubles(x), "mean": doubles(mean), "variance": doubles(variance), "weight": doubles(weight),
                "bias": doubles(bias),
            ]
        ) { Self.equation(stream, from: 3, D: D, G: G, $0) }
    }
}
