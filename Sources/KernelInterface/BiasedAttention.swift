/// Attention weights with a bias by distance, and weights that aren't normalised (MEGA.md). Row t of a
/// block sees its first `seen + t` columns, as in `AttentionKernels`; `seen` may be negative.
public struct BiasedAttentionKernels: Sendable {
    /// score[t, j] += bias[j - t] where a row sees: (scores, extent, seen, bias).
    ///
    /// The bias lies from the farthest distance to the nearest; the pointer is at the entry of the first row and the
    /// first column, so entry `seen - 1` is that of distance 0.
    public let addDistanceBias: @Sendable (MutableFloatRows, Extent, Int, UnsafePointer<Float>) -> Void
    /// sums[j - t] += the gradient [t, j] where a row sees, t ascending: (sums, gradients, extent, seen). The place of
    /// a distance is as in `addDistanceBias`.
    public let addDiagonals: @Sendable (UnsafeMutablePointer<Float>, FloatRows, Extent, Int) -> Void
    /// Scores become f(score) in place, 0 where a row doesn't see: (scores, extent, seen) with f the normal
    /// distribution of mean 0.707107 and deviation 0.282095; a score of -infinity becomes 0.
    public let laplaceWeights: @Sendable (MutableFloatRows, Extent, Int) -> Void
    /// The same with f(s) = max(s, 0)^2.
    public let squaredReLUWeights: @Sendable (MutableFloatRows, Extent, Int) -> Void
    /// Scores and gradients of weights become weights f(score) and gradients of scores, f'(score) times: (scores,
    /// gradients, extent, seen); both 0 where a row doesn't see.
    public let laplaceBackward: @Sendable (MutableFloatRows, MutableFloatRows, Extent, Int) -> Void
    /// The same for `squaredReLUWeights`.
    public let squaredReLUBackward: @Sendable (MutableFloatRows, MutableFloatRows, Extent, Int) -> Void

    public init(
        addDistanceBias: @escaping @Sendable (MutableFloatRows, Extent, Int, UnsafePointer<Float>) -> Void,
        addDiagonals: @escaping @Sendable (UnsafeMutablePointer<Float>, FloatRows, Extent, Int) -> Void,
        laplaceWeights: @escaping @Sendable (MutableFloatRows, Extent, Int) -> Void,
        squaredReLUWeights: @escaping @Sendable (MutableFloatRows, Extent, Int) -> Void,
        laplaceBackward: @escaping @Sendable (MutableFloatRows, MutableFloatRows, Extent, Int) -> Void,
        squaredReLUBackward: @escaping @Sendable (MutableFloatRows, MutableFloatRows, Extent, Int) -> Void
    ) {
        self.addDistanceBias = addDistanceBias
        self.addDiagonals = addDiagonals
        self.laplaceWeights = laplaceWeights
        self.squaredReLUWeights = squaredReLUWeights
        self.laplaceBackward = laplaceBackward
        self.squaredReLUBackward = squaredReLUBackward
    }
}
