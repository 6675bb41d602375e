import Glibc
import KernelInterface
import Kernels
import Numerics

/// Multi-dimensional complex exponential moving average (GECKO.md, CEMA; MEGALODON.md) with its residual:
/// y = omega x + Re sum_n c gamma_n h_n, h = [not bos] q h + p x, p = sigmoid(alpha),
/// q = (1 - p sigmoid(delta)) e^{i phi}. A Gecko's omega and c are 1.
///
/// Coefficients and states are kept [N, paddedDim] so that a vector lane is a channel.
package final class ComplexEMA {
    package let dim: Int
    package let orders: Int
    package let padded: Int
    /// c
    private let gammaScale: Double
    /// omega [dim]; nil: 1.
    private var residualWeights: UnsafePointer<Float>?
    /// p, q (re, im), gamma (re, im), each [N, paddedDim].
    private let coefficients: FloatBuffer
    /// Their gradients, summed over a step.
    private let gradients: FloatBuffer

    /// The parameters, as they are stored.
    package struct Parameters {
        /// alpha, delta [D, N]; theta [D]; gamma [D, N, 2].
        let alpha, delta, theta, gamma: UnsafePointer<Float>
        /// [D]; nil: 1.
        let omega: UnsafePointer<Float>?

        package init(
            @_nonEphemeral alpha: UnsafePointer<Float>, @_nonEphemeral delta: UnsafePointer<Float>,
            @_nonEphemeral theta: UnsafePointer<Float>,
            @_nonEphemeral gamma: UnsafePointer<Float>, @_nonEphemeral omega: UnsafePointer<Float>? = nil
        ) {
            self.alpha = alpha
            self.delta = delta
            self.theta = theta
            self.gamma = gamma
            self.omega = omega
        }
    }

    /// Gradients of `Parameters` but for omega; added to.
    package struct ParameterGradients {
        /// Shapes as in `Parameters`.
        let alpha, delta, theta, gamma: UnsafeMutablePointer<Float>

        package init(
            @_nonEphemeral alpha: UnsafeMutablePointer<Float>, @_nonEphemeral delta: UnsafeMutablePointer<Float>,
            @_nonEphemeral theta: UnsafeMutablePointer<Float>, @_nonEphemeral gamma: UnsafeMutablePointer<Float>
        ) {
            self.alpha = alpha
            self.delta = delta
            self.theta = theta
            self.gamma = gamma
        }
    }

    /// What a slice's forward reads and keeps for its backward.
    package struct Kept {
        /// [T, D]; read.
        let x: UnsafePointer<Float>
        /// [tiles, 2, N, paddedDim]: the states at the tiles' entrances; written by the forward.
        let entries: UnsafeMutablePointer<Float>
        /// The slice's.
        let tiles: DocumentTiles

        package init(
            @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral entries: UnsafeMutablePointer<Float>,
            tiles: DocumentTiles
        ) {
            self.x = x
            self.entries = entries
            self.tiles = tiles
        }
    }

    /// - Parameter gammaScale: c
    package init(dim: Int, orders: Int, gammaScale: Double = 1, trains: Bool = true) {
        self.gammaScale = gammaScale
        self.dim = dim
        self.orders = orders
        padded = (dim + 15) / 16 * 16
        coefficients = FloatBuffer(5 * orders * padded)
        gradients = FloatBuffer(trains ? 5 * orders * padded : 0)
    }

    /// Floats of a state: re and im.
    package var stateCount: Int { 2 * orders * padded }
    package static func workspace(workers: Int) -> Int { workers * KernelTable.emaScratch }
    package func workspace(workers: Int) -> Int { Self.workspace(workers: workers) }
    /// Floats of the tile entries that the backward needs.
    package func entryCount(tiles: Int) -> Int { tiles * stateCount }

    private func plane(_ i: Int) -> UnsafeMutablePointer<Float> { coefficients.base + i * orders * padded }
    private func gradientPlane(_ i: Int) -> UnsafeMutablePointer<Float> { gradients.base + i * orders * padded }

    /// Computes the coefficients from the parameters and clears the coefficients' gradients.
    package func prepare(_ w: Parameters) {
        gradients.clear()
        residualWeights = w.omega
        for d in 0..<dim {
            let turn = 2 * Double.pi / Double(orders) * sigmoid(Double(w.theta[d]))
            for n in 0..<orders {
                let k = d * orders + n
                let a = sigmoid(Double(w.alpha[k]))
                let rho = 1 - a * sigmoid(Double(w.delta[k]))
                let phi = turn * Double(n + 1)
                let o = n * padded + d
                plane(0)[o] = Float(a)
                plane(1)[o] = Float(rho * cos(phi))
                plane(2)[o] = Float(rho * sin(phi))
                plane(3)[o] = Float(gammaScale * Double(w.gamma[2 * k]))
                plane(4)[o] = Float(gammaScale * Double(w.gamma[2 * k + 1]))
            }
        }
    }

    /// x -> y [T, D]. `state` (re, im) [2, N, paddedDim] in and out.
    package func forward(
        _ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>, state: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withTiles(kept.tiles) { tiles in
            context.team.share(padded / 16, as: .ema) { worker, blocks in
                for block in blocks {
                    context.kernels.sequences.ema.complexEMA(
                        ComplexEMAArguments(
                            y: y, state: halves(state), entries: kept.entries, x: kept.x, coefficients: planes,
                            work: work(tiles, block, scratch, worker)))
                }
            }
        }
    }

    /// dy -> dx [T, D], the residual's share included. `stateGradient` in and out.
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ kept: Kept,
        stateGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        withTiles(kept.tiles) { tiles in
            context.team.share(padded / 16, as: .ema) { worker, blocks in
                for block in blocks {
                    context.kernels.sequences.ema.complexEMABackward(
                        ComplexEMABackwardArguments(
                            dx: dx, stateGradient: halves(stateGradient), coefficientGradients: gradientPlanes, dy: dy,
                            forward: ComplexEMAForward(x: kept.x, entries: kept.entries, coefficients: planes),
                            work: work(tiles, block, scratch, worker)))
                }
            }
        }
    }

    private var planes: ComplexEMACoefficients {
        ComplexEMACoefficients(
            p: plane(0), qReal: plane(1), qImaginary: plane(2), gammaReal: plane(3), gammaImaginary: plane(4),
            residualWeights: residualWeights)
    }

    private var gradientPlanes: ComplexEMACoefficientGradients {
        ComplexEMACoefficientGradients(
            p: gradientPlane(0), qReal: gradientPlane(1), qImaginary: gradientPlane(2), gammaReal: gradientPlane(3),
            gammaImaginary: gradientPlane(4))
    }

    private func halves(_ state: UnsafeMutablePointer<Float>) -> ComplexEMAState {
        ComplexEMAState(real: state, imaginary: state + orders * padded)
    }

    private func work(
        _ tiles: ComplexEMATiles, _ block: Int, _ scratch: UnsafeMutablePointer<Float>, _ worker: Int
    ) -> ComplexEMAWork {
        ComplexEMAWork(
            tiles: tiles,
            channels: ComplexEMAChannels(first: 16 * block, dim: dim, padded: padded, orders: orders),
            scratch: scratch + worker * KernelTable.emaScratch)
    }

    /// Adds the sum of dy x over a slice's tokens to domega [D].
    package func addResidualWeightGradient(
        _ context: SliceContext, _ domega: UnsafeMutablePointer<Float>, dy: UnsafePointer<Float>, _ kept: Kept
    ) {
        context.team.share(dim, grain: 16, as: .ema) { _, columns in
            let i = columns.lowerBound
            context.kernels.tokens.elementwise.columnDots(
                FloatRows(dy + i, stride: dim), FloatRows(kept.x + i, stride: dim),
                Extent(rows: context.length, columns: columns.count), domega + i)
        }
    }

    private func withTiles(_ tiles: DocumentTiles, _ body: (ComplexEMATiles) -> Void) {
        tiles.starts.withUnsafeBufferPointer { starts in
            tiles.resets.withUnsafeBufferPointer { resets in
                body(
                    ComplexEMATiles(
                        count: starts.count, starts: starts.baseAddress!, resets: resets.baseAddress!,
                        rows: tiles.length))
            }
        }
    }

    /// Adds the parameters' gradients from the coefficients' (GECKO.md, Backward, CEMA, coefficients).
    package func addParameterGradients(_ g: ParameterGradients, of w: Parameters) {
        for d in 0..<dim {
            let s = sigmoid(Double(w.theta[d]))
            let turn = 2 * Double.pi / Double(orders)
            var dtheta = 0.0
            for n in 0..<orders {
                let k = d * orders + n
                let o = n * padded + d
                let a = sigmoid(Double(w.alpha[k]))
                let b = sigmoid(Double(w.delta[k]))
                let rho = 1 - a * b
                let phi = turn * s * Double(n + 1)
                let dqr = Double(gradientPlane(1)[o])
                let dqi = Double(gradientPlane(2)[o])
                let drho = cos(phi) * dqr + sin(phi) * dqi
                let dphi = rho * (cos(phi) * dqi - sin(phi) * dqr)
                g.alpha[k] += Float((Double(gradientPlane(0)[o]) - b * drho) * a * (1 - a))
                g.delta[k] += Float(-a * drho * b * (1 - b))
                dtheta += Double(n + 1) * dphi
                g.gamma[2 * k] += Float(gammaScale * Double(gradientPlane(3)[o]))
                g.gamma[2 * k + 1] += Float(gammaScale * Double(gradientPlane(4)[o]))
            }
            g.theta[d] += Float(s * (1 - s) * turn * dtheta)
        }
    }

    /// Adds an upstream gradient to the coefficients p [D, N] and q [D, N, 2] themselves.
    package func addCoefficientGradients(p: [Float], q: [Float]) {
        for d in 0..<dim {
            for n in 0..<orders {
                let k = d * orders + n
                gradientPlane(0)[n * padded + d] += p[k]
                gradientPlane(1)[n * padded + d] += q[2 * k]
                gradientPlane(2)[n * padded + d] += q[2 * k + 1]
            }
        }
    }

    /// p [D, N] and q [D, N, 2] as computed from the parameters.
    package func coefficientValues() -> (p: [Float], q: [Float]) {
        var p: [Float] = []
        var q: [Float] = []
        for d in 0..<dim {
            for n in 0..<orders {
                p.append(plane(0)[n * padded + d])
                q += [plane(1)[n * padded + d], plane(2)[n * padded + d]]
            }
        }
        return (p, q)
    }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
