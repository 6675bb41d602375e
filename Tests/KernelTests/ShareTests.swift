import Kernels
import TestSupport
import Testing

/// Workers share columns, groups or rows: any cut gives the bits of the whole.
@Suite struct ShareTests {
    private let rows = 9

    /// Runs `part` over the whole range and over the cuts; both write into a copy of `first`.
    private func expectSameBits(
        _ first: [Float], cuts: [Range<Int>], whole: Range<Int>,
        _ part: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
    ) {
        var atOnce = first
        var inParts = first
        part(&atOnce, whole)
        for cut in cuts { part(&inParts, cut) }
        #expect(atOnce != first)
        #expect(atOnce.map(\.bitPattern) == inParts.map(\.bitPattern))
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func columnsInAnyCut(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        var noise = Noise(201)
        let n = 50
        let memory = KernelMemory()
        let (x, y) = (memory.input(noise.floats(rows * n)), memory.input(noise.floats(rows * n)))
        let r = memory.input(noise.floats(rows * 2))
        let shape = GroupedShape(rows: rows, features: n, groups: 2)
        let cuts = [0..<16, 16..<32, 32..<48, 48..<50]
        expectSameBits(noise.floats(n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.tokens.elementwise.columnSums(
                FloatRows(x + c.lowerBound, stride: n), Extent(rows: rows, columns: c.count), out + c.lowerBound)
        }
        expectSameBits(noise.floats(n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.tokens.featureNorms.rmsNormWeight(
                RMSNormWeightArguments(dweight: out, dy: y, x: x, scales: r, shape: shape, columns: c))
        }
        expectSameBits(noise.floats(2 * n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.tokens.featureNorms.layerNormWeight(
                LayerNormWeightArguments(
                    gradients: LayerNormParameterGradients(weight: out, bias: out + n), dy: y,
                    forward: LayerNormed(x: x, means: r, scales: r), shape: shape, columns: c))
        }
        expectSameBits(noise.floats(2 * n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.tokens.queries.queryViewWeight(
                QueryViewWeightArguments(
                    dgamma: out, dbeta: out + n, dview: y, z: FloatRows(x, stride: n), scales: r, shape: shape,
                    columns: c))
        }
        expectSameBits(noise.floats(4 * n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.tokens.elementwise.scatterRows(
                ScatterRowsArguments(
                    table: out, rows: y, ids: memory.integers([Int32](arrayLiteral: 3, 1, 3, 0, 2, 2, 1, 3, 0)),
                    scale: 2, extent: Extent(rows: rows, columns: n), columns: c))
        }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func groupsOfTheTimestepNormInAnyCut(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        for features in [3, 20] {
            let shape = KernelCases.TimestepNormShape(rows: rows, groups: 21, features: features, bos: [4])
            let data = KernelCases.TimestepNormData(shape, seed: 202)
            let (d, groups) = (shape.d, shape.groups)
            let memory = KernelMemory()
            let decay = shape.decay(memory)
            let normed = data.normed(data.reference(shape), shape, memory)
            let bias = memory.input(data.b)
            let cuts = [0..<1, 1..<6, 6..<17, 17..<21]
            // One memory after another: y, mhat, r, mean, variance.
            let state = data.mean + data.variance
            expectSameBits(
                [Float](repeating: 0, count: rows * (d + 2 * groups)) + state, cuts: cuts, whole: 0..<groups
            ) { out, g in
                let more = out + rows * d
                kernels.sequences.timestepNorms.timestepNorm(
                    TimestepNormArguments(
                        y: out, means: more, scales: more + rows * groups,
                        state: TimestepNormState(
                            mean: more + 2 * rows * groups, variance: more + (2 * rows + 1) * groups), x: normed.x,
                        parameters: TimestepNormParameters(weight: normed.weight, bias: bias), decay: decay,
                        share: GroupShare(shape: shape.grouped, groups: g)))
            }
            var noise = Noise(203)
            let dy = memory.input(noise.floats(rows * d))
            // dx, dw, db, dmean, dvariance.
            expectSameBits(noise.floats(rows * d + 2 * d + 2 * groups), cuts: cuts, whole: 0..<groups) { out, g in
                let more = out + rows * d
                kernels.sequences.timestepNorms.timestepNormBackward(
                    TimestepNormBackwardArguments(
                        dx: out, parameterGradients: TimestepNormParameterGradients(weight: more, bias: more + d),
                        stateGradient: TimestepNormState(mean: more + 2 * d, variance: more + 2 * d + groups), dy: dy,
                        forward: normed, decay: decay, share: GroupShare(shape: shape.grouped, groups: g),
                        scratch: memory.scratch(4 * groups)))
            }
        }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func groupsOfTheCumulativeNormInAnyCut(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        for features in [3, 20] {
            let shape = KernelCases.CumulativeNormShape(rows: rows, groups: 21, features: features, bos: [4])
            let data = KernelCases.CumulativeNormData(shape, seed: 205)
            let (d, groups) = (shape.d, shape.groups)
            let memory = KernelMemory()
            let normed = data.normed(data.reference(shape), shape, memory)
            let (bias, shares) = (memory.input(data.b), shape.shares(memory))
            let cuts = [0..<1, 1..<6, 6..<17, 17..<21]
            // One memory after another: y, means, scales, moments.
            expectSameBits(
                [Float](repeating: 0, count: rows * (d + 2 * groups)) + data.mean + data.variance, cuts: cuts,
                whole: 0..<groups
            ) { out, g in
                let more = out + rows * d
                let moments = more + 2 * rows * groups
                kernels.sequences.timestepNorms.cumulativeNorm(
                    CumulativeNormArguments(
                        y: out, means: more, scales: more + rows * groups,
                        moments: CumulativeMoments(mean: moments, variance: moments + 2 * groups), x: normed.x,
                        parameters: TimestepNormParameters(weight: normed.weight, bias: bias),
                        weights: CumulativeWeights(shares: shares, eps: shape.eps),
                        share: GroupShare(shape: shape.grouped, groups: g)))
            }
            var noise = Noise(206)
            let dy = memory.input(noise.floats(rows * d))
            // dx, dw, db, gradients of the moments.
            expectSameBits(noise.floats(rows * d + 2 * d + 4 * groups), cuts: cuts, whole: 0..<groups) { out, g in
                let more = out + rows * d
                kernels.sequences.timestepNorms.cumulativeNormBackward(
                    CumulativeNormBackwardArguments(
                        dx: out, parameterGradients: TimestepNormParameterGradients(weight: more, bias: more + d),
                        momentGradients: CumulativeMoments(mean: more + 2 * d, variance: more + 2 * d + 2 * groups),
                        dy: dy, forward: normed, shares: shares, share: GroupShare(shape: shape.grouped, groups: g),
                        scratch: memory.scratch(3 * groups)))
            }
        }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func lengthsOfASumOfSquaresThatEndInsideAVector(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        var noise = Noise(204)
        let x = noise.floats(100)
        // Zeros behind the end change nothing.
        #expect(
            kernels.training.sumOfSquares(x, 100)
                == kernels.training.sumOfSquares(x + [Float](repeating: 0, count: 12), 112))
    }

    @Test(arguments: KernelTable.runnable.map(\.level), [Float.nan, .infinity])
    func aSumOfSquaresShowsWhatIsNotFinite(level: Int, value: Float) throws {
        let kernels = try #require(KernelTable.at(level: level))
        for place in [0, 15, 16, 40] {
            var x = [Float](repeating: 1, count: 41)
            x[place] = value
            #expect(!kernels.training.sumOfSquares(x, 41).isFinite)
        }
    }
}
