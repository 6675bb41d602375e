import KernelInterface
import Numerics

/// The norm over time of a Gecko: its own, with averages that decay, or the one of a Megalodon, with the plain moments
/// of the document so far (`timestep_norm`).
enum GeckoNorm {
    case decay(TimestepDecayNorm)
    case cumulative(TimestepNorm)

    /// What is carried of the past, or its gradient: means and variances of the groups, each of `GeckoNorm.shape`.
    struct State {
        let mean, variance: UnsafeMutablePointer<Float>
    }

    /// - Parameters:
    ///   - weight: the name of its weight [D] in the store, which is kept without its 1
    ///   - bias: of its bias [D]
    init(_ c: GeckoConfiguration, _ store: ParameterStore, weight: String, bias: String) {
        switch c.timestepNorm {
        case .cumulative:
            self = .cumulative(
                TimestepNorm(dim: c.dim, groups: c.normGroups, eps: c.eps, store, weight: weight, bias: bias))
        case .decay:
            self = .decay(
                TimestepDecayNorm(
                    dim: c.dim, groups: c.normGroups, averages: c.normAverages,
                    parameters: TimestepNormParameters(weight: store.value(weight)!, bias: store.value(bias)!),
                    gradients: store.gradients.count > 0
                        ? TimestepNormParameterGradients(weight: store.gradient(weight)!, bias: store.gradient(bias)!)
                        : nil))
        }
    }

    /// Of the means, and of the variances: [G], or as pairs of floats [2, G] (`CumulativeMoments`).
    static func shape(_ c: GeckoConfiguration) -> [Int] {
        switch c.timestepNorm {
        case .decay: [c.normGroups]
        case .cumulative: [2, c.normGroups]
        }
    }

    /// Floats of the means, and of the variances. Asked for every slice, so that no array may be made of it.
    static func count(_ c: GeckoConfiguration) -> Int {
        switch c.timestepNorm {
        case .decay: c.normGroups
        case .cumulative: 2 * c.normGroups
        }
    }

    /// Scratch floats of the backward.
    static func workspace(_ c: GeckoConfiguration) -> Int { 4 * c.normGroups }

    /// x -> y [T, D]; `state` in and out.
    func forward(
        _ context: SliceContext, _ kept: TimestepNormKept, y: UnsafeMutablePointer<Float>, state: State
    ) {
        switch self {
        case .decay(let norm):
            norm.forward(context, kept, y: y, state: TimestepNormState(mean: state.mean, variance: state.variance))
        case .cumulative(let norm):
            norm.forward(
                context, kept, y: y, moments: CumulativeMoments(mean: state.mean, variance: state.variance),
                shares: context.plan.shares)
        }
    }

    /// y [T, D] again, to the same bits, from what the forward kept.
    func again(_ context: SliceContext, _ kept: TimestepNormKept, y: UnsafeMutablePointer<Float>) {
        switch self {
        case .decay(let norm): norm.again(context, kept, y: y)
        case .cumulative(let norm): norm.again(context, kept, y: y)
        }
    }

    /// dy -> dx [T, D]. `stateGradient`: of the state handed on, in; of the state taken in, out.
    func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ kept: TimestepNormKept,
        stateGradient d: State, scratch: UnsafeMutablePointer<Float>
    ) {
        switch self {
        case .decay(let norm):
            norm.backward(
                context, dy: dy, dx: dx, kept,
                stateGradient: TimestepNormState(mean: d.mean, variance: d.variance), scratch: scratch)
        case .cumulative(let norm):
            norm.backward(
                context, dy: dy, dx: dx, kept,
                momentGradients: CumulativeMoments(mean: d.mean, variance: d.variance), shares: context.plan.shares,
                scratch: scratch)
        }
    }
}
