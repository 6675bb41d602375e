import Hardware
import Model
import Numerics
import TestSupport
import Testing
import Verification

@Suite struct FeedForwardTests {
    struct Options: Sendable, CustomTestStringConvertible {
        let swiglu, affine, rescales: Bool
        let groups: Int
        /// Whether the residual is the normalised input itself.
        let oneHop: Bool

        var testDescription: String {
            "swiglu \(swiglu), affine \(affine), rescales \(rescales), \(groups) groups, one hop \(oneHop)"
        }

        static let all: [Options] = (0..<16).flatMap { bits in
            [1, 2].map {
                Options(
                    swiglu: bits & 1 != 0, affine: bits & 2 != 0, rescales: bits & 4 != 0, groups: $0,
                    oneHop: bits & 8 != 0)
            }
        }
    }

    private static let (T, D, F, eps) = (3, 10, 7, 1e-3)

    /// GECKO.md, NFFN: alpha * W2(silu(W1 g) * W3 g) + residual, g = LN(y); weights [out, in].
    private static func equation(_ o: Options, _ a: Arguments) -> Arguments {
        let residual = o.oneHop ? a["y"]! : a["residual"]!
        var out = residual
        let n = D / o.groups
        for t in 0..<T {
            let y = a["y"]!.row(t, D)
            let g = (0..<D).map { d in
                let group = y[d / n * n..<(d / n + 1) * n]
                let mean = group.reduce(0, +) / Double(n)
                let variance = group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
                let z = (y[d] - mean) / (variance + eps).squareRoot()
                return o.affine ? z * (1 + a["norm.weight"]![d]) + a["norm.bias"]![d] : z
            }
            let h = (0..<F).map { f in
                let gate = silu(inner(a["fc1.weight"]!.row(f, D), g))
                return o.swiglu ? gate * inner(a["fc3.weight"]!.row(f, D), g) : gate
            }
            for d in 0..<D {
                out[t * D + d] += (o.rescales ? a["alpha"]![d] : 1) * inner(a["fc2.weight"]!.row(d, F), h)
            }
        }
        return ["out": out]
    }

    @Test(arguments: Options.all) func outputsAndGradients(_ o: Options) {
        var c = GeckoConfiguration()
        (c.dim, c.ffnDim, c.lnGroups, c.eps) = (Self.D, Self.F, o.groups, Self.eps)
        (c.normAffine, c.swiglu, c.rescaleNFFN) = (o.affine, o.swiglu, o.rescales)
        let block = FeedForward(c.feedForward(layer: 0))
        let store = ParameterStore(c.feedForward(layer: 0).parameters)
        block.bind(store)
        var noise = Noise(641)
        let (T, D) = (Self.T, Self.D)
        let (y, x, dout) = (noise.floats(T * D), noise.floats(T * D), noise.floats(T * D))
        var arguments: Arguments = ["y": doubles(y)]
        if !o.oneHop { arguments["residual"] = doubles(x) }
        for entry in store.entries {
            let values = noise.floats(entry.count)
            (store.values.base + entry.offset).update(from: values, count: entry.count)
            arguments[String(entry.spec.name.dropFirst("layers.0.nffn.".count))] = doubles(values)
        }
        let plan = RandomStream(length: T, chunk: 8, bos: nil).plan(GeckoCursor.start, length: T)
        let context = context(plan)
        let stash = laidOut { FeedForward.Stash(&$0, c.feedForward(layer: 0), length: T) }
        let gradients = laidOut { FeedForward.GradientStash(&$0, c.feedForward(layer: 0), length: T) }
        let work = laidOut { FeedForward.Workspace(&$0, c.feedForward(layer: 0), length: T) }
        let (input, out) = (FloatBuffer(y), FloatBuffer(T * D))
        let other = o.oneHop ? input : FloatBuffer(x)
        block.forward(
            context, y: input.base, residual: other.base, out: out.base, stash: stash.part, workspace: work.part)
        let outputs = out.values
        let parts = FeedForward.Memory(stash: stash.part, gradientStash: gradients.part, workspace: work.part)
        // In one hop the residual's gradient is where the input's begins.
        let dy = FloatBuffer(o.oneHop ? dout : [Float](repeating: .nan, count: T * D))
        block.backward(
            context, dout: dout, dy: dy.base, add: o.oneHop, y: input.base, parts)
        block.accumulateWeightGradients(context, y: input.base, parts)
        withExtendedLifetime((stash.memory, gradients.memory, work.memory, other)) {}
        var found: Results = ["y": dy.values]
        for entry in store.entries {
            found[String(entry.spec.name.dropFirst("layers.0.nffn.".count))] = store.gradientValues(entry.spec.name)
        }
        expectAgreement(
            o.testDescription, outputs: ["out": outputs], gradients: found, up: ["out": dout], at: arguments
        ) { Self.equation(o, $0) }
    }
}
