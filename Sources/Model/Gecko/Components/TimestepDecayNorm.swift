import KernelInterface
import Numerics

/// Timestep decay norm (GECKO.md, TDN): per token and group the mean and variance of the features are smoothed over
/// time, corrected by 1 - beta^count and used to normalise. Restarts at a bos.
///
///     m = b1 m + (1 - b1) u    w = b2 w + (1 - b2) s
///     y = (x - m/(1 - b1^c)) (w/(1 - b2^c) + eps)^(-1/2) (1 + weight) + bias
package struct TimestepDecayNorm {
    package let dim: Int
    package let groups: Int
    package let averages: Averages
    private let parameters: TimestepNormParameters
    private let parameterGradients: TimestepNormParameterGradients?

    /// The decays of mean and variance, and what is added to the variance.
    package struct Averages {
        package let beta1, beta2, eps: Double

        package init(beta1: Double, beta2: Double, eps: Double) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.eps = eps
        }
    }

    package typealias Kept = TimestepNormKept

    /// - Parameters:
    ///   - dim: D, features of a token
    ///   - groups: G; they divide D
    ///   - gradients: nil where there is no backward
    package init(
        dim: Int, groups: Int, averages: Averages, parameters: TimestepNormParameters,
        gradients: TimestepNormParameterGradients?
    ) {
        self.dim = dim
        self.groups = groups
        self.averages = averages
        self.parameters = parameters
        parameterGradients = gradients
    }

    /// Scratch floats of the backward.
    package var workspace: Int { 4 * groups }

    /// x -> y [T, D]; `state` [G] in and out.
    package func forward(
        _ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>, state: TimestepNormState
    ) {
        withDecay(context.plan) { decay in
            context.team.share(groups, as: .norms) { _, g in
                context.kernels.sequences.timestepNorms.timestepNorm(
                    TimestepNormArguments(
                        y: y, means: kept.means, scales: kept.scales, state: state, x: kept.x, parameters: parameters,
                        decay: decay, share: GroupShare(shape: shape(rows: context.length), groups: g)))
            }
        }
    }

    /// y [T, D] again, to the same bits, from what the forward kept.
    package func again(_ context: SliceContext, _ kept: Kept, y: UnsafeMutablePointer<Float>) {
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

    /// dy -> dx [T, D]. In reverse time with S1 = sum d, S2 = sum d (x - mhat), d = dy (1 + weight):
    ///
    ///     A = dm - r S1/(1 - b1^c)    B = dw - r^3 S2/(2 (1 - b2^c))
    ///     dx = d r + ((1 - b1) A + 2 (1 - b2) B (x - u))/n    to t - 1: b1 A, b2 B
    ///
    /// `stateGradient` [G]: of the state handed on, in; of the state taken in, out.
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ kept: Kept,
        stateGradient: TimestepNormState, scratch: UnsafeMutablePointer<Float>
    ) {
        guard let parameterGradients else { preconditionFailure("backward without gradient memory") }
        withDecay(context.plan) { decay in
            context.team.share(groups, as: .norms) { _, g in
                context.kernels.sequences.timestepNorms.timestepNormBackward(
                    TimestepNormBackwardArguments(
                        dx: dx, parameterGradients: parameterGradients, stateGradient: stateGradient, dy: dy,
                        forward: TimestepNormed(
                            x: kept.x, weight: parameters.weight, means: kept.means, scales: kept.scales),
                        decay: decay, share: GroupShare(shape: shape(rows: context.length), groups: g),
                        scratch: scratch))
            }
        }
    }

    private func shape(rows: Int) -> GroupedShape { GroupedShape(rows: rows, features: dim, groups: groups) }

    private func withDecay(_ plan: SlicePlan, _ body: (TimestepDecay) -> Void) {
        plan.meanCorrection.withUnsafeBufferPointer { means in
            plan.varianceCorrection.withUnsafeBufferPointer { variances in
                plan.resets.withUnsafeBufferPointer { resets in
                    body(
                        TimestepDecay(
                            beta1: averages.beta1, beta2: averages.beta2, eps: averages.eps,
                            meanCorrections: means.baseAddress!,
                            varianceCorrections: variances.baseAddress!, resets: resets.baseAddress!))
                }
            }
        }
    }
}
