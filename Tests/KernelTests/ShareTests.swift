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
        let (x, y, r) = (noise.floats(rows * n), noise.floats(rows * n), noise.floats(rows * 2))
        let cuts = [0..<16, 16..<32, 32..<48, 48..<50]
        expectSameBits(noise.floats(n), cuts: cuts, whole: 0..<n) { out, c in
            x.withUnsafeBufferPointer {
                kernels.columnSums($0.baseAddress! + c.lowerBound, rows, c.count, n, out + c.lowerBound)
            }
        }
        expectSameBits(noise.floats(n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.rmsNormWeight(out, y, x, r, rows, n, 2, c.lowerBound, c.upperBound)
        }
        expectSameBits(noise.floats(2 * n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.layerNormWeight(out, out + n, y, x, r, r, rows, n, 2, c.lowerBound, c.upperBound)
        }
        expectSameBits(noise.floats(2 * n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.queryViewWeight(out, out + n, y, x, n, r, rows, n, 2, c.lowerBound, c.upperBound)
        }
        expectSameBits(noise.floats(4 * n), cuts: cuts, whole: 0..<n) { out, c in
            kernels.scatterRows(out, y, [3, 1, 3, 0, 2, 2, 1, 3, 0], 2, rows, n, c.lowerBound, c.upperBound)
        }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func groupsOfTheTimestepNormInAnyCut(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        for features in [3, 20] {
            let shape = KernelCases.TimestepNormShape(rows: rows, groups: 21, features: features, bos: [4])
            let data = KernelCases.TimestepNormData(shape, seed: 202)
            let (d, groups) = (shape.d, shape.groups)
            let (c1, c2, resets) = (shape.corrections(shape.beta1), shape.corrections(shape.beta2), shape.resets)
            let kept = data.reference(shape)
            let (mhat, r) = (kept.mhat.map { Float($0) }, kept.r.map { Float($0) })
            let cuts = [0..<1, 1..<6, 6..<17, 17..<21]
            // One memory after another: y, mhat, r, mean, variance.
            let state = data.mean + data.variance
            expectSameBits(
                [Float](repeating: 0, count: rows * (d + 2 * groups)) + state, cuts: cuts, whole: 0..<groups
            ) { out, g in
                let more = out + rows * d
                kernels.timestepNorm(
                    out, more, more + rows * groups, more + 2 * rows * groups, more + (2 * rows + 1) * groups, data.x,
                    data.w, data.b, c1, c2, resets, rows, d, groups, g.lowerBound, g.upperBound, shape.beta1,
                    shape.beta2, 1e-5)
            }
            var noise = Noise(203)
            let dy = noise.floats(rows * d)
            // dx, dw, db, dmean, dvariance.
            expectSameBits(noise.floats(rows * d + 2 * d + 2 * groups), cuts: cuts, whole: 0..<groups) { out, g in
                let more = out + rows * d
                var scratch = [Float](repeating: 0, count: 4 * groups)
                kernels.timestepNormBackward(
                    out, more, more + d, more + 2 * d, more + 2 * d + groups, dy, data.x, mhat, r, data.w, c1, c2,
                    resets, rows, d, groups, g.lowerBound, g.upperBound, shape.beta1, shape.beta2, &scratch)
            }
        }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func lengthsOfASumOfSquaresThatEndInsideAVector(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        var noise = Noise(204)
        let x = noise.floats(100)
        // Zeros behind the end change nothing.
        #expect(kernels.sumOfSquares(x, 100) == kernels.sumOfSquares(x + [Float](repeating: 0, count: 12), 112))
    }

    @Test(arguments: KernelTable.runnable.map(\.level), [Float.nan, .infinity])
    func aSumOfSquaresShowsWhatIsNotFinite(level: Int, value: Float) throws {
        let kernels = try #require(KernelTable.at(level: level))
        for place in [0, 15, 16, 40] {
            var x = [Float](repeating: 1, count: 41)
            x[place] = value
            #expect(!kernels.sumOfSquares(x, 41).isFinite)
        }
    }
}
