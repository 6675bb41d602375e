import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let timestepNorms: [KernelCase] = [
        // Groups of 1, 6, 16, 24 and 40 features; more than a vector of groups; shares that begin inside one.
        TimestepNormShape(rows: 7, groups: 5, features: 1), TimestepNormShape(rows: 7, groups: 3, features: 6),
        TimestepNormShape(rows: 7, groups: 2, features: 16), TimestepNormShape(rows: 1, groups: 2, features: 24),
        TimestepNormShape(rows: 7, groups: 2, features: 40), TimestepNormShape(rows: 7, groups: 19, features: 3),
        TimestepNormShape(rows: 7, groups: 19, features: 2, share: 3..<8),
        TimestepNormShape(rows: 7, groups: 20, features: 2, share: 1..<20),
        TimestepNormShape(rows: 0, groups: 2, features: 6), TimestepNormShape(rows: 70, groups: 2, features: 4),
        TimestepNormShape(rows: 7, groups: 3, features: 6, bos: [0]),
        TimestepNormShape(rows: 7, groups: 2, features: 17, bos: [2, 3, 6]),
    ].flatMap { [timestepNorm($0), timestepNormRecompute($0), timestepNormBackward($0)] }

    struct TimestepNormShape {
        let rows, groups, features: Int
        let share: Range<Int>
        let bos: Set<Int>
        let beta1 = 0.99, beta2 = 0.995, eps = 1e-5
        /// Tokens of the document before the slice.
        let count = 3

        init(rows: Int, groups: Int, features: Int, share: Range<Int>? = nil, bos: Set<Int> = []) {
            self.rows = rows
            self.groups = groups
            self.features = features
            self.share = share ?? 0..<groups
            self.bos = bos
        }

        var d: Int { groups * features }
        var text: String { "\(rows) rows, \(groups) x \(features), groups \(share), bos \(bos.sorted())" }
        var grouped: GroupedShape { GroupedShape(rows: rows, features: d, groups: groups) }
        var resets: [UInt8] { (0..<rows).map { bos.contains($0) ? 1 : 0 } }

        func counts() -> [Int] {
            var n = count
            return (0..<rows).map { t in
                n = bos.contains(t) ? 1 : n + 1
                return n
            }
        }

        func corrections(_ beta: Double) -> [Float] { counts().map { Float(-1 / expm1(Double($0) * log(beta))) } }

        func decay(_ memory: KernelMemory) -> TimestepDecay {
            TimestepDecay(
                beta1: beta1, beta2: beta2, eps: eps, meanCorrections: memory.input(corrections(beta1)),
                varianceCorrections: memory.input(corrections(beta2)), resets: memory.integers(resets))
        }
    }

    struct TimestepNormResult {
        var y, mhat, r, mean, variance: [Double]
    }

    /// The norm token by token: x [rows, d], weight and bias [d], mean and variance [groups].
    static func timestepNorm(
        _ s: TimestepNormShape, _ x: [Double], _ w: [Double], _ b: [Double], _ mean: [Double], _ variance: [Double]
    ) -> TimestepNormResult {
        let n = s.features
        var result = TimestepNormResult(y: x, mhat: [], r: [], mean: mean, variance: variance)
        let counts = s.counts()
        for t in 0..<s.rows {
            for g in 0..<s.groups {
                let place = t * s.d + g * n
                let features = x[place..<place + n]
                let u = features.reduce(0, +) / Double(n)
                let v = features.reduce(0) { $0 + ($1 - u) * ($1 - u) } / Double(n)
                let keep = s.bos.contains(t) ? 0.0 : 1
                result.mean[g] = keep * s.beta1 * result.mean[g] + (1 - s.beta1) * u
                result.variance[g] = keep * s.beta2 * result.variance[g] + (1 - s.beta2) * v
                let m = result.mean[g] / (1 - pow(s.beta1, Double(counts[t])))
                let r = 1 / (result.variance[g] / (1 - pow(s.beta2, Double(counts[t]))) + s.eps).squareRoot()
                result.mhat.append(m)
                result.r.append(r)
                for i in 0..<n { result.y[place + i] = (x[place + i] - m) * r * (1 + w[g * n + i]) + b[g * n + i] }
            }
        }
        return result
    }

    struct TimestepNormData {
        let x, w, b, mean, variance: [Float]

        init(_ s: TimestepNormShape, seed: Int) {
            var noise = Noise(seed)
            x = noise.floats(s.rows * s.d, scale: 2).map { $0 + 0.5 }
            w = noise.floats(s.d)
            b = noise.floats(s.d)
            // State such as `count` tokens leave it.
            mean = noise.floats(s.groups, scale: 0.02)
            variance = noise.floats(s.groups).map { 0.01 * (abs($0) + 0.5) }
        }

        /// What a forward leaves for the backward.
        func normed(_ full: TimestepNormResult, _ s: TimestepNormShape, _ memory: KernelMemory) -> TimestepNormed {
            TimestepNormed(
                x: memory.input(x, cols: s.d), weight: memory.input(w),
                means: memory.input(full.mhat.map { Float($0) }, cols: s.groups),
                scales: memory.input(full.r.map { Float($0) }, cols: s.groups))
        }

        func reference(_ s: TimestepNormShape) -> TimestepNormResult {
            timestepNorm(s, doubles(x), doubles(w), doubles(b), doubles(mean), doubles(variance))
        }
    }

    private static func timestepNorm(_ s: TimestepNormShape) -> KernelCase {
        let data = TimestepNormData(s, seed: 41)
        return KernelCase("timestepNorm", s.text) { kernels, memory in
            kernels.sequences.timestepNorms.timestepNorm(
                TimestepNormArguments(
                    y: memory.output("y", from: [Float](repeating: 9, count: s.rows * s.d), cols: s.d),
                    means: memory.output("mhat", from: [Float](repeating: 9, count: s.rows * s.groups), cols: s.groups),
                    scales: memory.output("r", from: [Float](repeating: 9, count: s.rows * s.groups), cols: s.groups),
                    state: TimestepNormState(
                        mean: memory.output("mean", from: data.mean),
                        variance: memory.output("variance", from: data.variance)),
                    x: memory.input(data.x, cols: s.d),
                    parameters: TimestepNormParameters(weight: memory.input(data.w), bias: memory.input(data.b)),
                    decay: s.decay(memory), share: GroupShare(shape: s.grouped, groups: s.share)))
        } expected: {
            let full = data.reference(s)
            // Groups of other workers stay as they were.
            func shared(_ values: [Double], _ others: (Int) -> Double, width: Int) -> [Double] {
                values.indices.map { s.share.contains($0 / width % s.groups) ? values[$0] : others($0) }
            }
            return [
                "y": shared(full.y, { _ in 9 }, width: s.features), "mhat": shared(full.mhat, { _ in 9 }, width: 1),
                "r": shared(full.r, { _ in 9 }, width: 1),
                "mean": shared(full.mean, { Double(data.mean[$0]) }, width: 1),
                "variance": shared(full.variance, { Double(data.variance[$0]) }, width: 1),
            ]
        }
    }

    private static func timestepNormRecompute(_ s: TimestepNormShape) -> KernelCase {
        let data = TimestepNormData(s, seed: 44)
        let full = data.reference(s)
        return KernelCase("timestepNormRecompute", s.text) { kernels, memory in
            kernels.sequences.timestepNorms.timestepNormRecompute(
                TimestepNormAgainArguments(
                    y: memory.output("y", from: [Float](repeating: 9, count: s.rows * s.d), cols: s.d),
                    forward: data.normed(full, s, memory), bias: memory.input(data.b), shape: s.grouped))
        } expected: {
            ["y": full.y]
        }
    }

    private static func timestepNormBackward(_ s: TimestepNormShape) -> KernelCase {
        let data = TimestepNormData(s, seed: 42)
        var noise = Noise(43)
        let dy = noise.floats(s.rows * s.d)
        let (dmean, dvariance) = (noise.floats(s.groups), noise.floats(s.groups))
        let (dw, db) = (noise.floats(s.d), noise.floats(s.d))
        let full = data.reference(s)
        return KernelCase("timestepNormBackward", s.text, tolerance: Tolerance.gradient) { kernels, memory in
            kernels.sequences.timestepNorms.timestepNormBackward(
                TimestepNormBackwardArguments(
                    dx: memory.output("dx", from: [Float](repeating: 0, count: s.rows * s.d), cols: s.d),
                    parameterGradients: TimestepNormParameterGradients(
                        weight: memory.output("dw", from: dw), bias: memory.output("db", from: db)),
                    stateGradient: TimestepNormState(
                        mean: memory.output("dmean", from: dmean),
                        variance: memory.output("dvariance", from: dvariance)),
                    dy: memory.input(dy, cols: s.d), forward: data.normed(full, s, memory), decay: s.decay(memory),
                    share: GroupShare(shape: s.grouped, groups: s.share),
                    scratch: memory.scratch(4 * s.groups)))
        } expected: {
            // Only this share's groups enter the loss.
            func loss(_ x: [Double], _ w: [Double], _ b: [Double], _ mean: [Double], _ variance: [Double]) -> Double {
                let r = timestepNorm(s, x, w, b, mean, variance)
                let y = r.y.indices.reduce(0) {
                    $0 + (s.share.contains($1 / s.features % s.groups) ? Double(dy[$1]) * r.y[$1] : 0)
                }
                return s.share.reduce(y) {
                    $0 + Double(dmean[$1]) * r.mean[$1] + Double(dvariance[$1]) * r.variance[$1]
                }
            }
            let (x, w, b) = (doubles(data.x), doubles(data.w), doubles(data.b))
            let (mean, variance) = (doubles(data.mean), doubles(data.variance))
            let stateMean = centralDifferences(at: mean) { loss(x, w, b, $0, variance) }
            // A smaller step: the state's variances are small themselves.
            let stateVariance = centralDifferences(at: variance, step: 1e-7) { loss(x, w, b, mean, $0) }
            let weight = centralDifferences(at: w) { loss(x, $0, b, mean, variance) }
            let bias = centralDifferences(at: b) { loss(x, w, $0, mean, variance) }
            return [
                "dx": centralDifferences(at: x) { loss($0, w, b, mean, variance) },
                "dw": weight.indices.map { Double(dw[$0]) + weight[$0] },
                "db": bias.indices.map { Double(db[$0]) + bias[$0] },
                "dmean": dmean.indices.map { s.share.contains($0) ? stateMean[$0] : Double(dmean[$0]) },
                "dvariance": dvariance.indices.map { s.share.contains($0) ? stateVariance[$0] : Double(dvariance[$0]) },
            ]
        }
    }
}
