import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let cumulativeNorms: [KernelCase] = [
        // Groups of 1, 6, 16, 24 and 40 features; more than a vector of groups; shares that begin inside one.
        CumulativeNormShape(rows: 7, groups: 5, features: 1), CumulativeNormShape(rows: 7, groups: 3, features: 6),
        CumulativeNormShape(rows: 7, groups: 2, features: 16), CumulativeNormShape(rows: 1, groups: 2, features: 24),
        CumulativeNormShape(rows: 7, groups: 2, features: 40), CumulativeNormShape(rows: 7, groups: 19, features: 3),
        CumulativeNormShape(rows: 7, groups: 19, features: 2, share: 3..<8),
        CumulativeNormShape(rows: 7, groups: 20, features: 2, share: 1..<20),
        CumulativeNormShape(rows: 0, groups: 2, features: 6), CumulativeNormShape(rows: 70, groups: 2, features: 4),
        CumulativeNormShape(rows: 7, groups: 3, features: 6, bos: [0]),
        CumulativeNormShape(rows: 7, groups: 2, features: 17, bos: [2, 3, 6]),
        CumulativeNormShape(rows: 7, groups: 2, features: 6, count: 0),
    ].flatMap { [cumulativeNorm($0), cumulativeNormBackward($0)] }

    struct CumulativeNormShape {
        let rows, groups, features: Int
        let share: Range<Int>
        let bos: Set<Int>
        let eps = 1e-5
        /// Tokens of the document before the slice.
        let count: Int

        init(
            rows: Int, groups: Int, features: Int, share: Range<Int>? = nil, bos: Set<Int> = [], count: Int = 3
        ) {
            self.rows = rows
            self.groups = groups
            self.features = features
            self.share = share ?? 0..<groups
            self.bos = bos
            self.count = count
        }

        var d: Int { groups * features }
        var text: String {
            "\(rows) rows, \(groups) x \(features), groups \(share), bos \(bos.sorted()), after \(count)"
        }
        var grouped: GroupedShape { GroupedShape(rows: rows, features: d, groups: groups) }

        /// Tokens of the document so far.
        func counts() -> [Int] {
            var n = count
            return (0..<rows).map { t in
                n = bos.contains(t) ? 1 : n + 1
                return n
            }
        }

        func shares(_ memory: KernelMemory) -> UnsafePointer<Float> {
            memory.input(counts().map { Float(1 / Double($0)) })
        }
    }

    /// y, means and inverse deviations of every token, and the moments at the end.
    struct CumulativeNormResult {
        var y, means, scales, mean, variance: [Double]
    }

    /// The norm token by token: x [rows, d], weight and bias [d], mean and variance [groups].
    static func cumulativeNorm(
        _ s: CumulativeNormShape, _ x: [Double], _ w: [Double], _ b: [Double], _ mean: [Double], _ variance: [Double]
    ) -> CumulativeNormResult {
        let n = s.features
        var result = CumulativeNormResult(y: x, means: [], scales: [], mean: mean, variance: variance)
        for (t, count) in s.counts().enumerated() {
            if count == 1 {
                result.mean = result.mean.map { _ in 0 }
                result.variance = result.mean
            }
            let a = 1 / Double(count)
            for g in 0..<s.groups {
                let place = t * s.d + g * n
                let features = x[place..<place + n]
                let u = features.reduce(0, +) / Double(n)
                let v = features.reduce(0) { $0 + ($1 - u) * ($1 - u) } / Double(n)
                let e = u - result.mean[g]
                result.variance[g] = (1 - a) * result.variance[g] + a * v + a * (1 - a) * e * e
                result.mean[g] += a * e
                let (m, r) = (result.mean[g], 1 / (result.variance[g] + s.eps).squareRoot())
                result.means.append(m)
                result.scales.append(r)
                for i in 0..<n { result.y[place + i] = (x[place + i] - m) * r * (1 + w[g * n + i]) + b[g * n + i] }
            }
        }
        return result
    }

    struct CumulativeNormData {
        let x, w, b: [Float]
        /// [2, groups]: numbers and rests, such as `count` tokens leave them.
        let mean, variance: [Float]

        init(_ s: CumulativeNormShape, seed: Int) {
            var noise = Noise(seed)
            x = noise.floats(s.rows * s.d, scale: 2).map { $0 + 0.5 }
            w = noise.floats(s.d)
            b = noise.floats(s.d)
            let rests = noise.floats(2 * s.groups, scale: 1e-8)
            mean = noise.floats(s.groups) + rests[..<s.groups]
            variance = noise.floats(s.groups).map { abs($0) + 0.5 } + rests[s.groups...]
        }

        /// What a forward leaves for the backward.
        func normed(_ full: CumulativeNormResult, _ s: CumulativeNormShape, _ memory: KernelMemory) -> TimestepNormed {
            TimestepNormed(
                x: memory.input(x, cols: s.d), weight: memory.input(w),
                means: memory.input(full.means.map { Float($0) }, cols: s.groups),
                scales: memory.input(full.scales.map { Float($0) }, cols: s.groups))
        }

        func reference(_ s: CumulativeNormShape) -> CumulativeNormResult {
            cumulativeNorm(s, doubles(x), doubles(w), doubles(b), sums(mean), sums(variance))
        }
    }

    /// The numbers of pairs [2, groups].
    private static func sums(_ pairs: [Float]) -> [Double] {
        (0..<pairs.count / 2).map { Double(pairs[$0]) + Double(pairs[pairs.count / 2 + $0]) }
    }

    /// What is expected in place of pairs: the numbers rounded, and the rests, which are too small for the tolerance;
    /// other workers' groups as they were.
    private static func expectedPairs(_ values: [Double], _ before: [Float], _ share: Range<Int>) -> [Double] {
        let numbers = values.indices.map { share.contains($0) ? values[$0] : Double(before[$0]) }
        let rests = values.indices.map { share.contains($0) ? 0 : Double(before[values.count + $0]) }
        return numbers + rests
    }

    private static func cumulativeNorm(_ s: CumulativeNormShape) -> KernelCase {
        let data = CumulativeNormData(s, seed: 45)
        return KernelCase("cumulativeNorm", s.text) { kernels, memory in
            func untouched(_ name: String, _ columns: Int) -> UnsafeMutablePointer<Float> {
                memory.output(name, from: [Float](repeating: 9, count: s.rows * columns), cols: columns)
            }
            kernels.sequences.timestepNorms.cumulativeNorm(
                CumulativeNormArguments(
                    y: untouched("y", s.d), means: untouched("means", s.groups), scales: untouched("scales", s.groups),
                    moments: CumulativeMoments(
                        mean: memory.output("mean", from: data.mean),
                        variance: memory.output("variance", from: data.variance)),
                    x: memory.input(data.x, cols: s.d),
                    parameters: TimestepNormParameters(weight: memory.input(data.w), bias: memory.input(data.b)),
                    weights: CumulativeWeights(shares: s.shares(memory), eps: s.eps),
                    share: GroupShare(shape: s.grouped, groups: s.share)))
        } expected: {
            let full = data.reference(s)
            // Groups of other workers stay as they were.
            func shared(_ values: [Double], width: Int) -> [Double] {
                values.indices.map { s.share.contains($0 / width % s.groups) ? values[$0] : 9 }
            }
            return [
                "y": shared(full.y, width: s.features), "means": shared(full.means, width: 1),
                "scales": shared(full.scales, width: 1), "mean": expectedPairs(full.mean, data.mean, s.share),
                "variance": expectedPairs(full.variance, data.variance, s.share),
            ]
        }
    }

    private static func cumulativeNormBackward(_ s: CumulativeNormShape) -> KernelCase {
        let data = CumulativeNormData(s, seed: 46)
        var noise = Noise(47)
        let dy = noise.floats(s.rows * s.d)
        let (dw, db) = (noise.floats(s.d), noise.floats(s.d))
        let rests = [Float](repeating: 0, count: s.groups)
        let (dmean, dvariance) = (noise.floats(s.groups) + rests, noise.floats(s.groups) + rests)
        let full = data.reference(s)
        return KernelCase("cumulativeNormBackward", s.text, tolerance: Tolerance.gradient) { kernels, memory in
            kernels.sequences.timestepNorms.cumulativeNormBackward(
                CumulativeNormBackwardArguments(
                    dx: memory.output("dx", from: [Float](repeating: 0, count: s.rows * s.d), cols: s.d),
                    parameterGradients: TimestepNormParameterGradients(
                        weight: memory.output("dw", from: dw), bias: memory.output("db", from: db)),
                    momentGradients: CumulativeMoments(
                        mean: memory.output("dmean", from: dmean), variance: memory.output("dvariance", from: dvariance)
                    ),
                    dy: memory.input(dy, cols: s.d), forward: data.normed(full, s, memory), shares: s.shares(memory),
                    share: GroupShare(shape: s.grouped, groups: s.share), scratch: memory.scratch(3 * s.groups)))
        } expected: {
            // Only this share's groups enter the loss.
            func loss(_ x: [Double], _ w: [Double], _ b: [Double], _ mean: [Double], _ variance: [Double]) -> Double {
                let r = cumulativeNorm(s, x, w, b, mean, variance)
                let y = r.y.indices.reduce(0) {
                    $0 + (s.share.contains($1 / s.features % s.groups) ? Double(dy[$1]) * r.y[$1] : 0)
                }
                return s.share.reduce(y) {
                    $0 + Double(dmean[$1]) * r.mean[$1] + Double(dvariance[$1]) * r.variance[$1]
                }
            }
            let (x, w, b) = (doubles(data.x), doubles(data.w), doubles(data.b))
            let (mean, variance) = (sums(data.mean), sums(data.variance))
            let weight = centralDifferences(at: w) { loss(x, $0, b, mean, variance) }
            let bias = centralDifferences(at: b) { loss(x, w, $0, mean, variance) }
            return [
                "dx": centralDifferences(at: x) { loss($0, w, b, mean, variance) },
                "dw": weight.indices.map { Double(dw[$0]) + weight[$0] },
                "db": bias.indices.map { Double(db[$0]) + bias[$0] },
                "dmean": expectedPairs(centralDifferences(at: mean) { loss(x, w, b, $0, variance) }, dmean, s.share),
                "dvariance": expectedPairs(
                    centralDifferences(at: variance) { loss(x, w, b, mean, $0) }, dvariance, s.share),
            ]
        }
    }
}
