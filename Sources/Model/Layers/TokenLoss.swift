import KernelInterface
import Numerics

/// Cross entropy of each token's logits, and its sum over a slice.
struct TokenLoss {
    /// The latest slice's in nats, in the first places; 0 where a target is ignored.
    private(set) var losses: [Double] = []
    /// Sum of the latest slice's token losses in nats.
    private(set) var sum = 0.0

    /// Call before slices of up to so many tokens.
    mutating func prepare(length: Int) {
        if losses.count < length { losses = [Double](repeating: 0, count: length) }
    }

    /// Sums the slice's losses; 0 where the context has no targets. With a loss scale the logits [T, V] become their
    /// gradient, since the loss is the end of the way.
    mutating func take(_ context: SliceContext, logits: UnsafeMutablePointer<Float>, vocabulary V: Int) {
        sum = 0
        guard let targets = context.targets else { return }
        losses.withUnsafeMutableBufferPointer { losses in
            let out = losses.baseAddress!
            context.team.share(context.length) { _, rows in
                let t = rows.lowerBound
                context.kernels.training.crossEntropy(
                    CrossEntropyArguments(
                        logits: logits + t * V, targets: targets + t, losses: out + t, scale: context.lossScale,
                        extent: Extent(rows: rows.count, columns: V)))
            }
        }
        for t in 0..<context.length { sum += losses[t] }
    }
}
