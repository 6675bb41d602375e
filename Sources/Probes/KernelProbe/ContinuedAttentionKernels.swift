import Kernels
import Numerics

/// Calls the kernels of attention that goes on from what was summed before.
enum ContinuedAttentionKernels {
    private static func small(_ count: Int) -> FloatBuffer {
        let values = FloatBuffer(count)
        for i in 0..<count { values.base[i] = Float((i * 7919) % 211 - 105) / 200 }
        return values
    }

    static func run() {
        let attention = KernelTable.best.sequences.attention
        let (rows, columns, features) = (64, 256, 64)
        let (scores, y) = (small(rows * columns), small(rows * features))
        let (top, total, factors) = (small(rows), FloatBuffer(rows), FloatBuffer(rows))
        for t in 0..<rows { total.base[t] = 1 + Float(t) }
        attention.continueCausalExponentials(
            CausalExponentialsArguments(
                scores: MutableFloatRows(scores.base, stride: columns), extent: Extent(rows: rows, columns: columns),
                seen: columns - rows / 2, top: top.base, total: total.base), factors.base)
        attention.multiplyRows(
            MutableFloatRows(y.base, stride: features), factors.base, Extent(rows: rows, columns: features))
        addToInputGradient(y, factors, features: features)
    }

    /// Behind a residual a norm's backward adds to what the residual has.
    private static func addToInputGradient(_ dx: FloatBuffer, _ scales: FloatBuffer, features: Int) {
        let rows = scales.count
        let (x, dy) = (small(rows * features), small(rows * features))
        KernelTable.best.tokens.featureNorms.rmsNormBackward(
            RMSNormBackwardArguments(
                dx: MutableFloatRows(dx.base, stride: features), dy: FloatRows(dy.base, stride: features),
                x: FloatRows(x.base, stride: features), scales: scales.base, weight: nil,
                shape: GroupedShape(rows: rows, features: features, groups: 1), adds: true))
    }
}
