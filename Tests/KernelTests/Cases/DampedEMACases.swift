import Kernels
import TestSupport

extension KernelCases {
    static let dampedEMAs: [KernelCase] =
        ([1, 63, 64, 65, 130].flatMap { rows in
            [(1, []), (4, []), (3, [0])].map { EMAShape(rows: rows, dim: 5, orders: $0, bos: $1) }
        } + [
            EMAShape(rows: 130, dim: 5, orders: 2, bos: [10, 63, 64, 65, 128]),
            EMAShape(rows: 130, dim: 5, orders: 3, bos: [64]), EMAShape(rows: 65, dim: 5, orders: 1, bos: [0, 1, 64]),
            EMAShape(rows: 7, dim: 1, orders: 2), EMAShape(rows: 7, dim: 17, orders: 2, bos: [3]),
            EMAShape(rows: 7, dim: 33, orders: 5),
        ]).flatMap { [dampedEMA($0), dampedEMABackward($0)] }

    /// One channel's coefficients and state, each by order.
    struct DampedChannel {
        var p, q, gamma, h: [Double]

        /// h = [not bos] q h + p x, y = sum gamma h; `visit` sees the state before each token.
        mutating func run(_ s: EMAShape, _ x: [Double], visit: (Int, [Double]) -> Void = { _, _ in }) -> [Double] {
            x.indices.map { t in
                visit(t, h)
                for n in h.indices { h[n] = (s.bos.contains(t) ? 0 : q[n] * h[n]) + p[n] * x[t] }
                return inner(gamma, h)
            }
        }
    }

    /// Planes [N, ld]; lanes beyond the channels are 0, as the caller keeps them.
    private struct DampedData {
        let x, p, q, gamma, h: [Float]

        init(_ s: EMAShape, seed: Int) {
            var noise = Noise(seed)
            func plane(_ value: (Float) -> Float) -> [Float] {
                (0..<s.plane).map { i in
                    let number = noise.floats(1)[0]
                    return i % s.ld < s.dim ? value(number) : 0
                }
            }
            x = noise.floats(s.rows * s.dim)
            p = plane { $0 }
            // From short to long memory.
            q = plane { 0.5 + 0.49 * $0 }
            gamma = plane { $0 }
            h = plane { $0 }
        }

        func coefficients(_ memory: KernelMemory) -> DampedEMACoefficients {
            DampedEMACoefficients(p: memory.input(p), q: memory.input(q), gamma: memory.input(gamma))
        }

        func channel(_ d: Int, _ s: EMAShape) -> DampedChannel {
            func of(_ plane: [Float]) -> [Double] { (0..<s.orders).map { Double(plane[$0 * s.ld + d]) } }
            return DampedChannel(p: of(p), q: of(q), gamma: of(gamma), h: of(h))
        }

        func samples(_ d: Int, _ s: EMAShape) -> [Double] { (0..<s.rows).map { Double(x[$0 * s.dim + d]) } }

        /// States at the entrance of each tile that doesn't begin with a bos, [_, N, ld].
        func entries(_ s: EMAShape) -> [Double] {
            let kept = s.starts.filter { !s.bos.contains($0) }
            var out = [Double](repeating: 0, count: kept.count * s.plane)
            for d in 0..<s.dim {
                var channel = channel(d, s)
                _ = channel.run(s, samples(d, s)) { t, h in
                    guard let tile = kept.firstIndex(of: t) else { return }
                    for n in h.indices { out[(tile * s.orders + n) * s.ld + d] = h[n] }
                }
            }
            return out
        }
    }

    private static func dampedEMA(_ s: EMAShape) -> KernelCase {
        let data = DampedData(s, seed: 56)
        let kept = s.resets.filter { $0 == 0 }.count
        return KernelCase("dampedEMA", s.text) { kernels, memory in
            let y = memory.output("y", rows: s.rows, cols: s.dim)
            let h = memory.output("h", from: data.h)
            let entries = memory.output("entries", rows: kept, cols: s.plane)
            let (coefficients, x, tiles) = (
                data.coefficients(memory), memory.input(data.x, cols: s.dim), s.tiles(memory)
            )
            for d in stride(from: 0, to: s.dim, by: 16) {
                kernels.sequences.dampedEMA.dampedEMA(
                    DampedEMAArguments(
                        y: y, state: h, entries: entries, x: x, coefficients: coefficients,
                        work: s.work(tiles, d, memory)))
            }
        } expected: {
            var y = [Double](repeating: 0, count: s.rows * s.dim)
            var h = [Double](repeating: 0, count: s.plane)
            for d in 0..<s.dim {
                var channel = data.channel(d, s)
                for (t, value) in channel.run(s, data.samples(d, s)).enumerated() { y[t * s.dim + d] = value }
                for n in 0..<s.orders { h[n * s.ld + d] = channel.h[n] }
            }
            return ["y": y, "h": h, "entries": data.entries(s)]
        }
    }

    private static func dampedEMABackward(_ s: EMAShape) -> KernelCase {
        let (data, up, first) = (DampedData(s, seed: 57), DampedData(s, seed: 58), DampedData(s, seed: 59))
        var noise = Noise(60)
        let dy = noise.floats(s.rows * s.dim)
        return KernelCase("dampedEMABackward", s.text, tolerance: Tolerance.gradient) { kernels, memory in
            let dx = memory.output("dx", rows: s.rows, cols: s.dim)
            let dh = memory.output("dh", from: up.h)
            let gradients = DampedEMACoefficientGradients(
                p: memory.output("dp", from: first.p), q: memory.output("dq", from: first.q),
                gamma: memory.output("dgamma", from: first.gamma))
            let (coefficients, x, tiles) = (
                data.coefficients(memory), memory.input(data.x, cols: s.dim), s.tiles(memory)
            )
            let (upstream, entries) = (memory.input(dy, cols: s.dim), memory.input(data.entries(s).map { Float($0) }))
            for d in stride(from: 0, to: s.dim, by: 16) {
                kernels.sequences.dampedEMA.dampedEMABackward(
                    DampedEMABackwardArguments(
                        dx: dx, stateGradient: dh, coefficientGradients: gradients, dy: upstream,
                        forward: DampedEMAForward(x: x, entries: entries, coefficients: coefficients),
                        work: s.work(tiles, d, memory)))
            }
        } expected: {
            dampedGradients(s, data, up, first, dy)
        }
    }

    private static func dampedGradients(
        _ s: EMAShape, _ data: DampedData, _ up: DampedData, _ first: DampedData, _ dy: [Float]
    ) -> [String: [Double]] {
        var out = [
            "dx": [Double](repeating: 0, count: s.rows * s.dim), "dp": doubles(first.p), "dq": doubles(first.q),
            "dgamma": doubles(first.gamma), "dh": [Double](repeating: 0, count: s.plane),
        ]
        let parts: [(String, WritableKeyPath<DampedChannel, [Double]>)] = [
            ("dp", \.p), ("dq", \.q), ("dgamma", \.gamma), ("dh", \.h),
        ]
        for d in 0..<s.dim {
            let (channel, x, upState) = (data.channel(d, s), data.samples(d, s), up.channel(d, s).h)
            func loss(_ channel: DampedChannel, _ x: [Double]) -> Double {
                var end = channel
                let y = end.run(s, x)
                return y.indices.reduce(inner(upState, end.h)) { $0 + Double(dy[$1 * s.dim + d]) * y[$1] }
            }
            for (t, value) in centralDifferences(at: x, { loss(channel, $0) }).enumerated() {
                out["dx"]![t * s.dim + d] = value
            }
            for (name, part) in parts {
                let gradient = centralDifferences(at: channel[keyPath: part]) {
                    var moved = channel
                    moved[keyPath: part] = $0
                    return loss(moved, x)
                }
                for n in 0..<s.orders { out[name]![n * s.ld + d] += gradient[n] }
            }
        }
        return out
    }
}
