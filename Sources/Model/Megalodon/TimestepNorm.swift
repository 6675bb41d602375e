import KernelInterface
import Numerics

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

    /// What a slice's forward reads and keeps for its backward.
    struct Kept {
        /// [T, D]; read.
        let x: UnsafePointer<Float>
        /// Means and inverse deviations [T, G]; written by the forward.
        let means, scales: UnsafeMutablePointer<Float>
    }

    /// - Parameters:
    ///   - weight: the name of its weight [D] in the store, which is kept without its 1
    ///   - bias: of its bias [D]
    init(_ c: MegalodonConfiguration, _ store: ParameterStore, weight: String, bias: String) {
        guard let w = store.value(weight), let b = store.value(bias) else {
            preconditionFailure("\(weight) and \(bias) are parameters of the model")
        }
        dim = c.dim
        groups = c.normGroups
        eps = c.eps
        parameters = TimestepNormParameters(weight: w, bias: b)
        if store.gradients.count > 0, let dw = store.gradient(weight), let db = store.gradient(bias) {
            parameterGradients = TimestepNormParameterGradients(weight: dw, bias: db)
        } else {
            parameterGradients = nil
        }
    }

    static func parameters(_ c: MegalodonConfiguration, weight: String, bias: String) -> [ParameterSpec] {
        [weight, bias].map { ParameterSpec($0, [c.dim], .constant(0)) }
    }

    /// Scratch floats of the backward.
    static func workspace(_ c: MegalodonConfiguration) -> Int { 3 * c.normGroups }

    /// Floats of the moments, or of their gradients.
    static func momentCount(_ c: MegalodonConfiguration) -> Int { 4 * c.normGroups }

    /// x -> y [T, D]; `moments` in and out.
    func forward(_ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>, moments: CumulativeMoments) {
        withShares(context) { shares in
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
        momentGradients: CumulativeMoments, scratch: UnsafeMutablePointer<Float>
    ) {
        guard let parameterGradients else { preconditionFailure("backward without gradient memory") }
        withShares(context) { shares in
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

    private func withShares(_ context: SliceContext, _ body: (UnsafePointer<Float>) -> Void) {
        context.megalodon.shares.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
