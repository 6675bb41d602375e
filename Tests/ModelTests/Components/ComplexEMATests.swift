import Glibc
import Hardware
import Model
import Numerics
import TestSupport
import Testing

@Suite struct ComplexEMATests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let T, D, N: Int
        var bos: Set<Int> = []
        var testDescription: String { "\(T) tokens, \(D) channels, \(N) orders, documents at \(bos.sorted())" }
    }

    /// GECKO.md, CEMA with its residual, from the parameters: alpha, delta [D, N], theta [D], gamma and h [D, N, 2].
    private static func equation(_ s: Shape, _ a: Arguments) -> Arguments {
        var out: Arguments = ["y": a["x"]!, "h": a["h"]!]
        for d in 0..<s.D {
            for n in 0..<s.N {
                let k = d * s.N + n
                let p = sigmoid(a["alpha"]![k])
                let rho = 1 - p * sigmoid(a["delta"]![k])
                let phi = 2 * Double.pi / Double(s.N) * Double(n + 1) * sigmoid(a["theta"]![d])
                let (qr, qi) = (rho * cos(phi), rho * sin(phi))
                var (hr, hi) = (a["h"]![2 * k], a["h"]![2 * k + 1])
                for t in 0..<s.T {
                    if s.bos.contains(t) { (hr, hi) = (0, 0) }
                    (hr, hi) = (qr * hr - qi * hi + p * a["x"]![t * s.D + d], qr * hi + qi * hr)
                    out["y"]![t * s.D + d] += a["gamma"]![2 * k] * hr - a["gamma"]![2 * k + 1] * hi
                }
                out["h"]![2 * k] = hr
                out["h"]![2 * k + 1] = hi
            }
        }
        return out
    }

    /// [D, N, 2] as planes [2, N, padded], and back.
    private func pack(_ h: [Float], _ ema: ComplexEMA) -> FloatBuffer {
        let out = FloatBuffer(ema.stateCount)
        for i in h.indices {
            let (d, n, part) = (i / 2 / ema.orders, i / 2 % ema.orders, i % 2)
            out.base[(part * ema.orders + n) * ema.padded + d] = h[i]
        }
        return out
    }

    private func unpack(_ h: FloatBuffer, _ ema: ComplexEMA) -> [Float] {
        (0..<2 * ema.dim * ema.orders).map { i in
            h.base[(i % 2 * ema.orders + i / 2 % ema.orders) * ema.padded + i / 2 / ema.orders]
        }
    }

    @Test(arguments: [
        Shape(T: 1, D: 3, N: 1), Shape(T: 9, D: 3, N: 2), Shape(T: 63, D: 2, N: 3), Shape(T: 64, D: 2, N: 4),
        Shape(T: 65, D: 2, N: 5), Shape(T: 130, D: 2, N: 2), Shape(T: 130, D: 2, N: 3, bos: [0, 7, 64, 71, 128]),
        Shape(T: 12, D: 17, N: 2, bos: [4]),
    ])
    func outputsAndGradientsOfEveryParameter(_ s: Shape) {
        var noise = Noise(621)
        let x = noise.floats(s.T * s.D)
        let (alpha, delta) = (noise.floats(s.D * s.N, scale: 0.5), noise.floats(s.D * s.N, scale: 0.5))
        let (theta, gamma) = (noise.floats(s.D, scale: 2), noise.floats(2 * s.D * s.N))
        let h = noise.floats(2 * s.D * s.N)
        let up = ["y": noise.floats(s.T * s.D), "h": noise.floats(h.count)]
        let stream = RandomStream(
            length: s.T, chunk: 1 << 20, bos: s.bos.isEmpty ? nil : (0..<s.T).map(s.bos.contains))
        let plan = stream.plan(GeckoCursor.start, length: s.T)
        let ema = ComplexEMA(dim: s.D, orders: s.N)
        let parameters = [alpha, delta, theta, gamma].map { FloatBuffer($0) }
        ema.prepare(Self.parameters(parameters))
        let scratch = FloatBuffer(ema.workspace(workers: 1))
        let state = pack(h, ema)
        let entries = FloatBuffer(ema.entryCount(tiles: plan.tiles.starts.count))
        let y = FloatBuffer(s.T * s.D)
        let read = FloatBuffer(x)
        let kept = ComplexEMA.Kept(x: read.base, entries: entries.base, tiles: plan.tiles)
        ema.forward(context(plan), kept, y: y.base, state: state.base, scratch: scratch.base)
        let dh = pack(up["h"]!, ema)
        let dx = FloatBuffer(s.T * s.D)
        ema.backward(
            context(plan), dy: up["y"]!, dx: dx.base, kept, stateGradient: dh.base, scratch: scratch.base)
        let (da, dd) = (FloatBuffer(s.D * s.N), FloatBuffer(s.D * s.N))
        let (dt, dg) = (FloatBuffer(s.D), FloatBuffer(2 * s.D * s.N))
        ema.addParameterGradients(
            .init(alpha: da.base, delta: dd.base, theta: dt.base, gamma: dg.base), of: Self.parameters(parameters))
        withExtendedLifetime((parameters, read, entries)) {}
        expectAgreement(
            s.testDescription, outputs: ["y": y.values, "h": unpack(state, ema)],
            gradients: [
                "x": dx.values, "h": unpack(dh, ema), "alpha": da.values, "delta": dd.values, "theta": dt.values,
                "gamma": dg.values,
            ], up: up,
            at: [
                "x": doubles(x), "h": doubles(h), "alpha": doubles(alpha), "delta": doubles(delta),
                "theta": doubles(theta), "gamma": doubles(gamma),
            ]
        ) { Self.equation(s, $0) }
    }

    /// alpha, delta, theta and gamma.
    private static func parameters(_ buffers: [FloatBuffer]) -> ComplexEMA.Parameters {
        .init(alpha: buffers[0].base, delta: buffers[1].base, theta: buffers[2].base, gamma: buffers[3].base)
    }

    @Test func gradientsAddUpOverSlicesAndBeginAnewWithAStep() {
        let s = Shape(T: 6, D: 2, N: 2)
        var noise = Noise(622)
        let parameters = [4, 4, 2, 8].map { FloatBuffer(noise.floats($0)) }
        let x = FloatBuffer(noise.floats(s.T * s.D))
        let plan = RandomStream(length: s.T, chunk: 8, bos: nil).plan(GeckoCursor.start, length: s.T)
        let ema = ComplexEMA(dim: s.D, orders: s.N)
        let scratch = FloatBuffer(ema.workspace(workers: 1))
        let entries = FloatBuffer(ema.entryCount(tiles: 1))
        func gammaGradient(slices: Int) -> [Float] {
            ema.prepare(Self.parameters(parameters))
            for _ in 0..<slices {
                let (state, dh) = (FloatBuffer(ema.stateCount), FloatBuffer(ema.stateCount))
                let y = FloatBuffer(s.T * s.D)
                let kept = ComplexEMA.Kept(x: x.base, entries: entries.base, tiles: plan.tiles)
                ema.forward(context(plan), kept, y: y.base, state: state.base, scratch: scratch.base)
                ema.backward(
                    context(plan), dy: x.base, dx: y.base, kept, stateGradient: dh.base, scratch: scratch.base)
            }
            let (da, dd, dt, dg) = (FloatBuffer(4), FloatBuffer(4), FloatBuffer(2), FloatBuffer(8))
            ema.addParameterGradients(
                .init(alpha: da.base, delta: dd.base, theta: dt.base, gamma: dg.base), of: Self.parameters(parameters))
            withExtendedLifetime((parameters, x, entries)) {}
            return dg.values
        }
        let once = gammaGradient(slices: 1)
        #expect(deviation(doubles(gammaGradient(slices: 2)), from: doubles(once.map { 2 * $0 })) < 1e-6)
        #expect(gammaGradient(slices: 1) == once)
    }
}
