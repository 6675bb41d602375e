import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let complexEMAs: [KernelCase] = emaShapes.flatMap { [complexEMA($0), complexEMABackward($0)] }

    private static let emaShapes: [EMAShape] =
        [1, 63, 64, 65, 130].flatMap { rows in
            [(1, []), (4, []), (3, [0])].map { EMAShape(rows: rows, dim: 5, orders: $0, bos: $1) }
        } + [
            // Documents that begin inside a tile, at its edges, and one after the other.
            EMAShape(rows: 130, dim: 5, orders: 2, bos: [10, 63, 64, 65, 128]),
            EMAShape(rows: 130, dim: 5, orders: 3, bos: [64]), EMAShape(rows: 65, dim: 5, orders: 1, bos: [0, 1, 64]),
            EMAShape(rows: 7, dim: 1, orders: 2), EMAShape(rows: 7, dim: 16, orders: 3),
            EMAShape(rows: 7, dim: 17, orders: 2, bos: [3]), EMAShape(rows: 7, dim: 33, orders: 5),
            // With weights on the residual.
            EMAShape(rows: 7, dim: 33, orders: 2, isWeighted: true),
            EMAShape(rows: 130, dim: 5, orders: 3, bos: [64, 70], isWeighted: true),
        ]

    struct EMAShape {
        let rows, dim, orders: Int
        let bos: Set<Int>
        let isWeighted: Bool

        init(rows: Int, dim: Int, orders: Int, bos: Set<Int> = [], isWeighted: Bool = false) {
            self.rows = rows
            self.dim = dim
            self.orders = orders
            self.bos = bos
            self.isWeighted = isWeighted
        }

        var ld: Int { (dim + 15) / 16 * 16 }
        var plane: Int { orders * ld }
        var text: String { "\(rows) x \(dim), \(orders) orders, bos \(bos.sorted())\(isWeighted ? ", weighted" : "")" }

        /// First tokens of the tiles: every document's first and every 64th after it.
        var starts: [Int] {
            var starts: [Int] = []
            for t in 0..<rows where starts.isEmpty || bos.contains(t) || t - starts.last! == KernelTable.emaTile {
                starts.append(t)
            }
            return starts
        }
        var resets: [UInt8] { starts.map { bos.contains($0) ? 1 : 0 } }

        func tiles(_ memory: KernelMemory) -> ComplexEMATiles {
            ComplexEMATiles(
                count: starts.count, starts: memory.integers(starts.map { Int32($0) }),
                resets: memory.integers(resets), rows: rows)
        }

        func work(_ tiles: ComplexEMATiles, _ first: Int, _ memory: KernelMemory) -> ComplexEMAWork {
            ComplexEMAWork(
                tiles: tiles, channels: ComplexEMAChannels(first: first, dim: dim, padded: ld, orders: orders),
                scratch: memory.scratch(KernelTable.emaScratch))
        }
    }

    /// One channel's coefficients and state, each by order.
    struct EMAChannel {
        var p, qr, qi, gr, gi, hr, hi: [Double]
        let omega: Double

        /// h = [not bos] q h + p x, y = omega x + Re sum gamma h; `visit` sees the state before each token.
        mutating func run(_ s: EMAShape, _ x: [Double], visit: (Int, EMAChannel) -> Void = { _, _ in }) -> [Double] {
            x.indices.map { t in
                visit(t, self)
                var y = omega * x[t]
                for n in p.indices {
                    let (r, i) = s.bos.contains(t) ? (0, 0) : (hr[n], hi[n])
                    hr[n] = qr[n] * r - qi[n] * i + p[n] * x[t]
                    hi[n] = qr[n] * i + qi[n] * r
                    y += gr[n] * hr[n] - gi[n] * hi[n]
                }
                return y
            }
        }
    }

    /// Planes [N, ld]; lanes beyond the channels are 0, as the caller keeps them.
    struct EMAData {
        let x: [Float]
        let planes: [String: [Float]]
        /// omega [dim]; nil: 1.
        let weights: [Float]?

        init(_ s: EMAShape, seed: Int) {
            var noise = Noise(seed)
            x = noise.floats(s.rows * s.dim)
            var planes: [String: [Float]] = [:]
            for name in ["p", "qr", "qi", "gr", "gi", "hr", "hi"] {
                planes[name] = [Float](repeating: 0, count: s.plane)
            }
            for n in 0..<s.orders {
                for d in 0..<s.dim {
                    let values = noise.floats(7)
                    // |q| below 1, spread from short to long memory.
                    let radius = 0.5 + 0.49 * Double(abs(values[0]))
                    let angle = Double.pi * Double(values[1])
                    let k = n * s.ld + d
                    planes["p"]![k] = 0.5 + 0.4 * values[2]
                    planes["qr"]![k] = Float(radius * cos(angle))
                    planes["qi"]![k] = Float(radius * sin(angle))
                    planes["gr"]![k] = values[3]
                    planes["gi"]![k] = values[4]
                    planes["hr"]![k] = values[5]
                    planes["hi"]![k] = values[6]
                }
            }
            self.planes = planes
            weights = s.isWeighted ? noise.floats(s.dim) : nil
        }

        func residualWeights(_ memory: KernelMemory) -> UnsafePointer<Float>? { weights.map { memory.input($0) } }

        func coefficients(_ memory: KernelMemory) -> ComplexEMACoefficients {
            func of(_ name: String) -> UnsafePointer<Float> { memory.input(planes[name]!) }
            return ComplexEMACoefficients(
                p: of("p"), qReal: of("qr"), qImaginary: of("qi"), gammaReal: of("gr"), gammaImaginary: of("gi"))
        }

        func channel(_ d: Int, _ s: EMAShape) -> EMAChannel {
            func of(_ name: String) -> [Double] { (0..<s.orders).map { Double(planes[name]![$0 * s.ld + d]) } }
            return EMAChannel(
                p: of("p"), qr: of("qr"), qi: of("qi"), gr: of("gr"), gi: of("gi"), hr: of("hr"), hi: of("hi"),
                omega: weights.map { Double($0[d]) } ?? 1)
        }

        func samples(_ d: Int, _ s: EMAShape) -> [Double] { (0..<s.rows).map { Double(x[$0 * s.dim + d]) } }

        /// States at the entrance of each tile that doesn't begin with a bos, [_, 2, N, ld].
        func entries(_ s: EMAShape) -> [Double] {
            let kept = s.starts.filter { !s.bos.contains($0) }
            var out = [Double](repeating: 0, count: kept.count * 2 * s.plane)
            for d in 0..<s.dim {
                var channel = channel(d, s)
                _ = channel.run(s, samples(d, s)) { t, state in
                    guard let tile = kept.firstIndex(of: t) else { return }
                    for n in 0..<s.orders {
                        out[(2 * tile * s.orders + n) * s.ld + d] = state.hr[n]
                        out[((2 * tile + 1) * s.orders + n) * s.ld + d] = state.hi[n]
                    }
                }
            }
            return out
        }
    }

    private static func complexEMA(_ s: EMAShape) -> KernelCase {
        let data = EMAData(s, seed: 51)
        let kept = s.resets.filter { $0 == 0 }.count
        return KernelCase("complexEMA", s.text) { kernels, memory in
            let y = memory.output("y", rows: s.rows, cols: s.dim)
            let hr = memory.output("hr", from: data.planes["hr"]!)
            let hi = memory.output("hi", from: data.planes["hi"]!)
            let entries = memory.output("entries", rows: kept, cols: 2 * s.plane)
            var coefficients = data.coefficients(memory)
            coefficients.residualWeights = data.residualWeights(memory)
            let x = memory.input(data.x, cols: s.dim)
            let tiles = s.tiles(memory)
            for d in stride(from: 0, to: s.dim, by: 16) {
                kernels.sequences.ema.complexEMA(
                    ComplexEMAArguments(
                        y: y, state: ComplexEMAState(real: hr, imaginary: hi), entries: entries, x: x,
                        coefficients: coefficients, work: s.work(tiles, d, memory)))
            }
        } expected: {
            var y = [Double](repeating: 0, count: s.rows * s.dim)
            var hr = [Double](repeating: 0, count: s.plane)
            var hi = hr
            for d in 0..<s.dim {
                var channel = data.channel(d, s)
                for (t, value) in channel.run(s, data.samples(d, s)).enumerated() { y[t * s.dim + d] = value }
                for n in 0..<s.orders {
                    hr[n * s.ld + d] = channel.hr[n]
                    hi[n * s.ld + d] = channel.hi[n]
                }
            }
            return ["y": y, "hr": hr, "hi": hi, "entries": data.entries(s)]
        }
    }

    private static func complexEMABackward(_ s: EMAShape) -> KernelCase {
        let data = EMAData(s, seed: 52)
        var noise = Noise(53)
        let dy = noise.floats(s.rows * s.dim)
        let up = EMAData(s, seed: 54)
        let first = EMAData(s, seed: 55)
        let names = ["p", "qr", "qi", "gr", "gi"]
        return KernelCase("complexEMABackward", s.text, tolerance: Tolerance.gradient) { kernels, memory in
            let dx = memory.output("dx", rows: s.rows, cols: s.dim)
            let dhr = memory.output("dhr", from: up.planes["hr"]!)
            let dhi = memory.output("dhi", from: up.planes["hi"]!)
            let sums = names.map { memory.output("d" + $0, from: first.planes[$0]!) }
            let gradients = ComplexEMACoefficientGradients(
                p: sums[0], qReal: sums[1], qImaginary: sums[2], gammaReal: sums[3], gammaImaginary: sums[4])
            var coefficients = data.coefficients(memory)
            coefficients.residualWeights = data.residualWeights(memory)
            let entries = memory.input(data.entries(s).map { Float($0) })
            let x = memory.input(data.x, cols: s.dim)
            let upstream = memory.input(dy, cols: s.dim)
            let tiles = s.tiles(memory)
            for d in stride(from: 0, to: s.dim, by: 16) {
                kernels.sequences.ema.complexEMABackward(
                    ComplexEMABackwardArguments(
                        dx: dx, stateGradient: ComplexEMAState(real: dhr, imaginary: dhi),
                        coefficientGradients: gradients, dy: upstream,
                        forward: ComplexEMAForward(x: x, entries: entries, coefficients: coefficients),
                        work: s.work(tiles, d, memory)))
            }
        } expected: {
            var out = ["dx": [Double](repeating: 0, count: s.rows * s.dim)]
            for name in names { out["d" + name] = doubles(first.planes[name]!) }
            out["dhr"] = [Double](repeating: 0, count: s.plane)
            out["dhi"] = out["dhr"]
            let parts: [(String, WritableKeyPath<EMAChannel, [Double]>)] = [
                ("dp", \.p), ("dqr", \.qr), ("dqi", \.qi), ("dgr", \.gr), ("dgi", \.gi), ("dhr", \.hr), ("dhi", \.hi),
            ]
            for d in 0..<s.dim {
                let channel = data.channel(d, s)
                let x = data.samples(d, s)
                let upState = up.channel(d, s)
                func loss(_ channel: EMAChannel, _ x: [Double]) -> Double {
                    var end = channel
                    let y = end.run(s, x)
                    return y.indices.reduce(inner(upState.hr, end.hr) + inner(upState.hi, end.hi)) {
                        $0 + Double(dy[$1 * s.dim + d]) * y[$1]
                    }
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
}
