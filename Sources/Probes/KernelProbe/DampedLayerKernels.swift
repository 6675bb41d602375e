import Kernels
import Numerics

/// Calls each kernel of damped averages, biased attention and gated residuals once: a run of a model that has them
/// would count again those that it shares.
enum DampedLayerKernels {
    private static let rows = 128
    private static let kernels = KernelTable.best

    static func run() {
        runAverage()
        runWeights()
        runGates()
    }

    private static func small(_ count: Int) -> FloatBuffer {
        let values = FloatBuffer(count)
        for i in 0..<count { values.base[i] = Float((i * 7919) % 211 - 105) / 200 }
        return values
    }

    /// Forward and backward of 16 channels.
    private static func runAverage() {
        let (dim, orders) = (16, 5)
        let (x, coefficients, state) = (small(rows * dim), small(3 * orders * dim), small(orders * dim))
        let (y, entries) = (FloatBuffer(rows * dim), FloatBuffer(2 * orders * dim))
        let (gradients, scratch) = (FloatBuffer(3 * orders * dim), FloatBuffer(KernelTable.emaScratch))
        let plane = orders * dim
        let rates = DampedEMACoefficients(
            p: coefficients.base, q: coefficients.base + plane, gamma: coefficients.base + 2 * plane)
        let starts: [Int32] = [0, 64]
        let resets: [UInt8] = [0, 0]
        starts.withUnsafeBufferPointer { starts in
            resets.withUnsafeBufferPointer { resets in
                let work = ComplexEMAWork(
                    tiles: ComplexEMATiles(
                        count: 2, starts: starts.baseAddress!, resets: resets.baseAddress!, rows: rows),
                    channels: ComplexEMAChannels(first: 0, dim: dim, padded: dim, orders: orders),
                    scratch: scratch.base)
                kernels.sequences.dampedEMA.dampedEMA(
                    DampedEMAArguments(
                        y: y.base, state: state.base, entries: entries.base, x: x.base, coefficients: rates,
                        work: work))
                kernels.sequences.dampedEMA.dampedEMABackward(
                    DampedEMABackwardArguments(
                        dx: y.base, stateGradient: state.base,
                        coefficientGradients: DampedEMACoefficientGradients(
                            p: gradients.base, q: gradients.base + plane, gamma: gradients.base + 2 * plane),
                        dy: x.base, forward: DampedEMAForward(x: x.base, entries: entries.base, coefficients: rates),
                        work: work))
            }
        }
    }

    /// A block on the diagonal.
    private static func runWeights() {
        let (scores, gradients, bias) = (small(rows * rows), small(rows * rows), small(2 * rows))
        let s = MutableFloatRows(scores.base, stride: rows)
        let g = MutableFloatRows(gradients.base, stride: rows)
        let extent = Extent(rows: rows, columns: rows)
        let biased = kernels.sequences.biasedAttention
        biased.addDistanceBias(s, extent, 1, bias.base + rows)
        biased.addDiagonals(bias.base + rows, FloatRows(gradients.base, stride: rows), extent, 1)
        biased.laplaceWeights(s, extent, 1)
        biased.squaredReLUWeights(s, extent, 1)
        biased.laplaceBackward(s, g, extent, 1)
        biased.squaredReLUBackward(s, g, extent, 1)
    }

    private static func runGates() {
        let columns = 160
        let extent = Extent(rows: rows, columns: columns)
        let (x, weights) = (small(rows * columns), small(2 * columns))
        let out = (0..<3).map { _ in FloatBuffer(rows * columns) }
        let read = FloatRows(x.base, stride: columns)
        let written = out.map { MutableFloatRows($0.base, stride: columns) }
        let inputs = GatedResidualInputs(x: read, gate: read, candidate: read)
        kernels.tokens.gating.gatedResidual(GatedResidualArguments(y: written[0], inputs: inputs, extent: extent))
        kernels.tokens.gating.gatedResidualBackward(
            GatedResidualBackwardArguments(
                dx: written[0], dgate: written[1], dcandidate: written[2], dy: read, forward: inputs, extent: extent))
        kernels.tokens.queries.affineViews(
            AffineViewsArguments(
                q: written[0], k: written[1], z: read, gamma: weights.base, beta: weights.base, extent: extent))
        kernels.tokens.queries.affineViewsBackward(
            AffineViewsBackwardArguments(dz: written[0], dq: read, dk: read, gamma: weights.base, extent: extent))
        kernels.tokens.elementwise.addProductRow(written[0], read, weights.base, extent)
        withExtendedLifetime((x, weights, out)) {}
    }
}
