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
    package let beta1: Double
    package let beta2: Double
    package let eps: Double
    package var weight: UnsafePointer<Float>
    package var bias: UnsafePointer<Float>
    package var weightGradient: UnsafeMutablePointer<Float>?
    package var biasGradient: UnsafeMutablePointer<Float>?

    package init(
        dim: Int, groups: Int, beta1: Double, beta2: Double, eps: Double, weight: UnsafePointer<Float>,
        bias: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>? = nil,
        biasGradient: UnsafeMutablePointer<Float>? = nil
    ) {
        self.dim = dim
        self.groups = groups
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.weight = weight
        self.bias = bias
        self.weightGradient = weightGradient
        self.biasGradient = biasGradient
    }

    /// Scratch floats of the backward.
    package var workspace: Int { 4 * groups }

    /// x -> y [T, D]; mean and variance [G] are the state, in and out; mhat and r [T, G] are kept for the backward.
    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>, mhat: UnsafeMutablePointer<Float>,
        r: UnsafeMutablePointer<Float>
    ) {
        withDecay(context.plan) { decay in
            context.team.share(groups, as: .norms) { _, g in
                context.kernels.timestepNorms.timestepNorm(
                    TimestepNormArguments(
                        y: y, means: mhat, scales: r, state: TimestepNormState(mean: mean, variance: variance), x: x,
                        parameters: TimestepNormParameters(weight: weight, bias: bias), decay: decay,
                        share: GroupShare(shape: shape(rows: context.length), groups: g)))
            }
        }
    }

    /// y [T, D] again, to the same bits, from x and what the forward kept.
    package func again(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, mhat: UnsafePointer<Float>,
        r: UnsafePointer<Float>
    ) {
        context.team.share(context.length, as: .norms) { _, rows in
            let t = rows.lowerBound
            context.kernels.timestepNorms.timestepNormAgain(
                TimestepNormAgainArguments(
                    y: y + t * dim,
                    forward: TimestepNormed(
                        x: x + t * dim, weight: weight, means: mhat + t * groups, scales: r + t * groups), bias: bias,
                    shape: shape(rows: rows.count)))
        }
    }

    /// dy -> dx [T, D]. In reverse time with S1 = sum d, S2 = sum d (x - mhat), d = dy (1 + weight):
    ///
    ///     A = dm - r S1/(1 - b1^c)    B = dw - r^3 S2/(2 (1 - b2^c))
    ///     dx = d r + ((1 - b1) A + 2 (1 - b2) B (x - u))/n    to t - 1: b1 A, b2 B
    ///
    /// `meanGradient`, `varianceGradient` [G]: of the state handed on, in; of the state taken in, out.
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>,
        mhat: UnsafePointer<Float>, r: UnsafePointer<Float>, meanGradient: UnsafeMutablePointer<Float>,
        varianceGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        guard let weightGradient, let biasGradient else { preconditionFailure("backward without gradient memory") }
        withDecay(context.plan) { decay in
            context.team.share(groups, as: .norms) { _, g in
                context.kernels.timestepNorms.timestepNormBackward(
                    TimestepNormBackwardArguments(
                        dx: dx,
                        parameterGradients: TimestepNormParameterGradients(
                            weight: weightGradient, bias: biasGradient),
                        stateGradient: TimestepNormState(mean: meanGradient, variance: varianceGradient), dy: dy,
                        forward: TimestepNormed(x: x, weight: weight, means: mhat, scales: r), decay: decay,
                        share: GroupShare(shape: shape(rows: context.length), groups: g), scratch: scratch))
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
                            beta1: beta1, beta2: beta2, eps: eps, meanCorrections: means.baseAddress!,
                            varianceCorrections: variances.baseAddress!, resets: resets.baseAddress!))
                }
            }
        }
    }
}
