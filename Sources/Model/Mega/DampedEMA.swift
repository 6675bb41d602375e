import Glibc
import KernelInterface
import Kernels
import Numerics

/// Multi-dimensional damped exponential moving average (MEGA.md): y = sum_n gamma_n h_n / sqrt(N), h =
/// [not bos] q h + p x, p = sigmoid(delta) beta, q = 1 - sigmoid(delta) sigmoid(alpha).
///
/// Coefficients and states are kept [N, paddedDim] so that a vector lane is a channel.
final class DampedEMA {
    let dim, orders, padded: Int
    /// p, q, gamma / sqrt(N), each [N, paddedDim].
    private let coefficients: FloatBuffer
    /// Their gradients, summed over a step.
    private let gradients: FloatBuffer

    /// alpha, delta, beta, gamma [D, N], as they are stored.
    struct Parameters {
        let alpha, delta, beta, gamma: UnsafePointer<Float>
    }

    /// Gradients of `Parameters`; added to.
    struct ParameterGradients {
        let alpha, delta, beta, gamma: UnsafeMutablePointer<Float>
    }

    /// What a slice's forward reads and keeps for its backward.
    struct Kept {
        /// [T, D]; read.
        let x: UnsafePointer<Float>
        /// [tiles, N, paddedDim]: the states at the tiles' entrances; written by the forward.
        let entries: UnsafeMutablePointer<Float>
        /// The slice's.
        let tiles: DocumentTiles
    }

    init(dim: Int, orders: Int, trains: Bool = true) {
        self.dim = dim
        self.orders = orders
        padded = (dim + 15) / 16 * 16
        coefficients = FloatBuffer(3 * orders * padded)
        gradients = FloatBuffer(trains ? 3 * orders * padded : 0)
    }

    static func workspace(workers: Int) -> Int { workers * KernelTable.emaScratch }

    private func plane(_ i: Int) -> UnsafeMutablePointer<Float> { coefficients.base + i * orders * padded }
    private func gradientPlane(_ i: Int) -> UnsafeMutablePointer<Float> { gradients.base + i * orders * padded }

    /// Computes the coefficients from the parameters and clears the coefficients' gradients.
    func prepare(_ w: Parameters) {
        gradients.clear()
        let scale = 1 / Double(orders).squareRoot()
        for k in 0..<dim * orders {
            let o = k % orders * padded + k / orders
            let d = sigmoid(Double(w.delta[k]))
            plane(0)[o] = Float(d * Double(w.beta[k]))
            plane(1)[o] = Float(1 - d * sigmoid(Double(w.alpha[k])))
            plane(2)[o] = Float(scale * Double(w.gamma[k]))
        }
    }

    /// x -> y [T, D]. `state` [N, paddedDim] in and out.
    func forward(
        _ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>, state: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        eachBlock(context, kept.tiles, scratch) { work in
            context.kernels.sequences.dampedEMA.dampedEMA(
                DampedEMAArguments(
                    y: y, state: state, entries: kept.entries, x: kept.x,
                    coefficients: DampedEMACoefficients(p: plane(0), q: plane(1), gamma: plane(2)), work: work))
        }
    }

    /// dy -> dx [T, D]. `stateGradient` in and out.
    func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ kept: Kept,
        stateGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        eachBlock(context, kept.tiles, scratch) { work in
            context.kernels.sequences.dampedEMA.dampedEMABackward(
                DampedEMABackwardArguments(
                    dx: dx, stateGradient: stateGradient,
                    coefficientGradients: DampedEMACoefficientGradients(
                        p: gradientPlane(0), q: gradientPlane(1), gamma: gradientPlane(2)), dy: dy,
                    forward: DampedEMAForward(
                        x: kept.x, entries: kept.entries,
                        coefficients: DampedEMACoefficients(p: plane(0), q: plane(1), gamma: plane(2))), work: work))
        }
    }

    /// Shares out blocks of 16 channels.
    private func eachBlock(
        _ context: SliceContext, _ tiles: DocumentTiles, _ scratch: UnsafeMutablePointer<Float>,
        _ body: (ComplexEMAWork) -> Void
    ) {
        tiles.starts.withUnsafeBufferPointer { starts in
            tiles.resets.withUnsafeBufferPointer { resets in
                let cut = ComplexEMATiles(
                    count: starts.count, starts: starts.baseAddress!, resets: resets.baseAddress!, rows: tiles.length)
                context.team.share(padded / 16, as: .ema) { worker, blocks in
                    for block in blocks {
                        body(
                            ComplexEMAWork(
                                tiles: cut,
                                channels: ComplexEMAChannels(
                                    first: 16 * block, dim: dim, padded: padded, orders: orders),
                                scratch: scratch + worker * KernelTable.emaScratch))
                    }
                }
            }
        }
    }

    /// Adds the parameters' gradients from the coefficients' (MEGA.md, Backward).
    func addParameterGradients(_ g: ParameterGradients, of w: Parameters) {
        let scale = 1 / Double(orders).squareRoot()
        for k in 0..<dim * orders {
            let o = k % orders * padded + k / orders
            let (d, a) = (sigmoid(Double(w.delta[k])), sigmoid(Double(w.alpha[k])))
            let (dp, dq) = (Double(gradientPlane(0)[o]), Double(gradientPlane(1)[o]))
            g.delta[k] += Float((dp * Double(w.beta[k]) - dq * a) * d * (1 - d))
            g.alpha[k] += Float(-dq * d * a * (1 - a))
            g.beta[k] += Float(dp * d)
            g.gamma[k] += Float(scale * Double(gradientPlane(2)[o]))
        }
    }

    /// p and q [D, N] as computed from the parameters, and upstream gradients of theirs to go back from.
    func coefficientValues() -> (p: [Float], q: [Float]) {
        let places = (0..<dim * orders).map { $0 % orders * padded + $0 / orders }
        return (places.map { plane(0)[$0] }, places.map { plane(1)[$0] })
    }

    func addCoefficientGradients(p: [Float], q: [Float]) {
        for k in 0..<dim * orders {
            let o = k % orders * padded + k / orders
            gradientPlane(0)[o] += p[k]
            gradientPlane(1)[o] += q[k]
        }
    }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
