import KernelInterface
import Numerics

/// What the forward of a norm over time reads and keeps of a slice for its backward.
package struct TimestepNormKept {
    /// [T, D]; read.
    let x: UnsafePointer<Float>
    /// Means and inverse deviations, as they were applied [T, G]; written by the forward.
    let means, scales: UnsafeMutablePointer<Float>

    package init(
        @_nonEphemeral x: UnsafePointer<Float>, @_nonEphemeral means: UnsafeMutablePointer<Float>,
        @_nonEphemeral scales: UnsafeMutablePointer<Float>
    ) {
        self.x = x
        self.means = means
        self.scales = scales
    }
}

/// Timestep norm (MEGALODON.md, TN): a token's groups are normalised by the mean and the variance of all
/// their features in all tokens of the document so far.
///
///     a = 1/c   e = u - m   v = (1 - a) v + a s + a (1 - a) e^2   m = m + a e
///     y = (x - m) (v + eps)^(-1/2) (1 + weight) + bias
///
/// for the c-th token of a document, whose groups have means u and variances s. Before a document m = v = 0. What a
/// token changes shrinks like 1/c: the moments and their gradients are carried as pairs of floats
/// (`CumulativeMoments`), by which a million tokens leave no more error than one.
struct TimestepNorm {
    let dim: Int
    let groups: Int
    let eps: Double
    private let parameters: TimestepNormParameters
    private let parameterGradients: TimestepNormParameterGradients?

    typealias Kept = TimestepNormKept

    /// - Parameters:
    ///   - weight: the name of its weight [D] in the store, which is kept without its 1
    ///   - bias: of its bias [D]
    init(dim: Int, groups: Int, eps: Double, _ store: ParameterStore, weight: String, bias: String) {
        guard let w = store.value(weight), let b = store.value(bias) else {
            preconditionFailure("\(weight) and \(bias) are parameters of the model")
        }
        self.dim = dim
        self.groups = groups
        self.eps = eps
        parameters = TimestepNormParameters(weight: w, bias: b)
        if store.gradients.count > 0, let dw = store.gradient(weight), let db = store.gradient(bias) {
            parameterGradients = TimestepNormParameterGradients(weight: dw, bias: db)
        } else {
            parameterGradients = nil
        }
    }

    static func parameters(dim: Int, weight: String, bias: String) -> [ParameterSpec] {
        [weight, bias].map { ParameterSpec($0, [dim], .constant(0)) }
    }

    /// Scratch floats of the backward.
    static func workspace(groups: Int) -> Int { 3 * groups }

    /// Floats of the moments, or of their gradients.
    static func momentCount(groups: Int) -> Int { 4 * groups }

    /// x -> y [T, D]; `moments` in and out.
    ///
    /// - Parameter shares: 1/c of each token of the slice
    func forward(
        _ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>, moments: CumulativeMoments,
        shares: [Float]
    ) {
        withPointer(shares) { shares in
            context.team.share(groups, as: .norms) { _, g in
                context.kernels.sequences.timestepNorms.cumulativeNorm(
                    CumulativeNormArguments(
                        y: y, means: kept.means, scales: kept.scales, moments: moments, x: kept.x,
                        parameters: parameters, weights: CumulativeWeights(shares: shares, eps: eps),
                        share: GroupShare(shape: shape(rows: context.length), groups: g)))
            }
        }
    }

    /// y [T, D] again, to the same bits, from what the forward kept.
    func again(_ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>) {
        context.team.share(context.length, as: .norms) { _, rows in
            let t = rows.lowerBound
            context.kernels.sequences.timestepNorms.timestepNormRecompute(
                TimestepNormAgainArguments(
                    y: y + t * dim,
                    forward: TimestepNormed(
                        x: kept.x + t * dim, weight: parameters.weight, means: kept.means + t * groups,
                        scales: kept.scales + t * groups), bias: parameters.bias, shape: shape(rows: rows.count)))
        }
    }

    /// dy -> dx [T, D]. In reverse time with S1 = sum d, S2 = sum d (x - m), d = dy (1 + weight):
    ///
    ///     A = dm - r S1    B = dv - r^3 S2/2    X = 2 a (1 - a) e B
    ///     dx = d r + (a A + X + 2 a B (x - u))/n    to t - 1: (1 - a) A - X, (1 - a) B
    ///
    /// `momentGradients`: of the moments handed on, in; of those taken in, out.
    func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ kept: Kept,
        momentGradients: CumulativeMoments, shares: [Float], scratch: UnsafeMutablePointer<Float>
    ) {
        guard let parameterGradients else { preconditionFailure("backward without gradient memory") }
        withPointer(shares) { shares in
            context.team.share(groups, as: .norms) { _, g in
                context.kernels.sequences.timestepNorms.cumulativeNormBackward(
                    CumulativeNormBackwardArguments(
                        dx: dx, parameterGradients: parameterGradients, momentGradients: momentGradients, dy: dy,
                        forward: TimestepNormed(
                            x: kept.x, weight: parameters.weight, means: kept.means, scales: kept.scales),
                        shares: shares, share: GroupShare(shape: shape(rows: context.length), groups: g),
                        scratch: scratch))
            }
        }
    }

    private func shape(rows: Int) -> GroupedShape { GroupedShape(rows: rows, features: dim, groups: groups) }

    private func withPointer(_ shares: [Float], _ body: (UnsafePointer<Float>) -> Void) {
        shares.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
