import Kernels
import TestSupport
import Testing

/// The cumulative norm over a million tokens: neither its moments nor their gradients drift, and cuts change no bit.
@Suite struct CumulativeNormTests {
    private static let tokens = 1 << 20
    private static let shape = KernelCases.CumulativeNormShape(rows: tokens, groups: 2, features: 4, count: 0)

    /// Features whose mean and spread move all the time, beside 0.
    private static let x: [Float] = {
        var noise = Noise(61)
        let d = shape.d
        return noise.floats(tokens * d).enumerated().map { i, value in
            let t = Float(i / d) / Float(tokens)
            return 0.5 + t + (1 + t) * value
        }
    }()
    private static let dy: [Float] = {
        var noise = Noise(62)
        return noise.floats(tokens * shape.d)
    }()

    /// What a run leaves: the moments' pairs and their gradients', [2, groups] each, and dx.
    private struct Result {
        var mean = [Float](repeating: 0, count: 2 * shape.groups)
        var variance = [Float](repeating: 0, count: 2 * shape.groups)
        var dmean = [Float](arrayLiteral: 0.5, -1, 0, 0)
        var dvariance = [Float](arrayLiteral: -0.25, 0.75, 0, 0)
        var dx: [Float] = []
    }

    /// Forward, then backward in slices of `length` tokens.
    private static func run(_ kernels: KernelTable, length: Int) -> Result {
        let (d, groups) = (shape.d, shape.groups)
        var result = Result()
        result.dx = [Float](repeating: 0, count: tokens * d)
        let memory = KernelMemory()
        let (x, dy, shares) = (memory.input(x, cols: d), memory.input(dy, cols: d), shape.shares(memory))
        let zeros = memory.input([Float](repeating: 0, count: d))
        let (y, means, scales) = (
            memory.scratch(tokens * d), memory.scratch(tokens * groups), memory.scratch(tokens * groups)
        )
        let (gradients, scratch) = (
            memory.output("dw, db", from: [Float](repeating: 0, count: 2 * d)), memory.scratch(6)
        )
        let starts = Array(stride(from: 0, to: tokens, by: length))
        func share(_ start: Int) -> GroupShare {
            GroupShare(
                shape: GroupedShape(rows: min(length, tokens - start), features: d, groups: groups), groups: 0..<groups)
        }
        result.mean.withUnsafeMutableBufferPointer { mean in
            result.variance.withUnsafeMutableBufferPointer { variance in
                for t in starts {
                    kernels.sequences.timestepNorms.cumulativeNorm(
                        CumulativeNormArguments(
                            y: y + t * d, means: means + t * groups, scales: scales + t * groups,
                            moments: CumulativeMoments(mean: mean.baseAddress!, variance: variance.baseAddress!),
                            x: x + t * d, parameters: TimestepNormParameters(weight: zeros, bias: zeros),
                            weights: CumulativeWeights(shares: shares + t, eps: shape.eps), share: share(t)))
                }
            }
        }
        result.dmean.withUnsafeMutableBufferPointer { dmean in
            result.dvariance.withUnsafeMutableBufferPointer { dvariance in
                result.dx.withUnsafeMutableBufferPointer { dx in
                    for t in starts.reversed() {
                        kernels.sequences.timestepNorms.cumulativeNormBackward(
                            CumulativeNormBackwardArguments(
                                dx: dx.baseAddress! + t * d,
                                parameterGradients: TimestepNormParameterGradients(
                                    weight: gradients, bias: gradients + d),
                                momentGradients: CumulativeMoments(
                                    mean: dmean.baseAddress!, variance: dvariance.baseAddress!), dy: dy + t * d,
                                forward: TimestepNormed(
                                    x: x + t * d, weight: zeros, means: means + t * groups, scales: scales + t * groups
                                ), shares: shares + t, share: share(t), scratch: scratch))
                    }
                }
            }
        }
        return result
    }

    /// The moments, and dx of the first tokens, in Double: M and V are the gradients of a token's mean and variance.
    private static func reference() -> (mean: [Double], variance: [Double], dx: [Double]) {
        let (d, n, groups) = (shape.d, shape.features, shape.groups)
        var (mean, variance) = ([Double](repeating: 0, count: groups), [Double](repeating: 0, count: groups))
        var kept: [(e: Double, u: Double, m: Double, r: Double)] = []
        func features(_ t: Int, _ g: Int) -> [Double] { (0..<n).map { Double(x[t * d + g * n + $0]) } }
        for t in 0..<tokens {
            let a = 1 / Double(t + 1)
            for g in 0..<groups {
                let own = features(t, g)
                let u = own.reduce(0, +) / Double(n)
                let s = own.reduce(0) { $0 + ($1 - u) * ($1 - u) } / Double(n)
                let e = u - mean[g]
                variance[g] = (1 - a) * variance[g] + a * s + a * (1 - a) * e * e
                mean[g] += a * e
                kept.append((e, u, mean[g], 1 / (variance[g] + shape.eps).squareRoot()))
            }
        }
        let first = Result()
        var (dm, dv) = (first.dmean.map(Double.init), first.dvariance.map(Double.init))
        var dx = [Double](repeating: 0, count: tokens * d)
        for t in (0..<tokens).reversed() {
            let a = 1 / Double(t + 1)
            for g in 0..<groups {
                let (e, u, m, r) = kept[t * groups + g]
                let own = features(t, g)
                let up = (0..<n).map { Double(dy[t * d + g * n + $0]) }
                let A = dm[g] - r * up.reduce(0, +)
                let B = dv[g] - 0.5 * r * r * r * zip(up, own).reduce(0) { $0 + $1.0 * ($1.1 - m) }
                let cross = 2 * a * (1 - a) * e * B
                for i in 0..<n {
                    dx[t * d + g * n + i] = up[i] * r + (a * A + cross + 2 * a * B * (own[i] - u)) / Double(n)
                }
                (dm[g], dv[g]) = ((1 - a) * A - cross, (1 - a) * B)
            }
        }
        return (mean, variance, dx)
    }

    @Test func nothingDriftsInAMillionTokens() {
        let expected = Self.reference()
        for kernels in KernelTable.runnable {
            let found = Self.run(kernels, length: 4096)
            for g in 0..<Self.shape.groups {
                let mean = abs(Double(found.mean[g]) / expected.mean[g] - 1)
                let variance = abs(Double(found.variance[g]) / expected.variance[g] - 1)
                #expect(mean < 2e-7 && variance < 2e-7, "level \(kernels.level): off by \(mean) and \(variance)")
            }
            let worst = deviation(found.dx.map(Double.init), from: expected.dx)
            #expect(worst < 1e-6, "level \(kernels.level): dx deviates by \(worst)")
        }
    }

    @Test(arguments: [1 << 20, 1000])
    func cutsChangeNoBit(length: Int) {
        let (whole, cut) = (Self.run(.best, length: 4096), Self.run(.best, length: length))
        for part in [\Result.mean, \.variance, \.dmean, \.dvariance, \.dx] {
            #expect(whole[keyPath: part].map(\.bitPattern) == cut[keyPath: part].map(\.bitPattern))
        }
    }
}
