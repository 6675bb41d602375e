import KernelInterface
import Numerics

/// One dropout site: elements are dropped with probability `rate`, the others scaled by 1 / (1 - rate). The mask is a
/// pure function of (seed, step, sequence, layer, site, position, channel), so backward and recompute draw the same.
package struct Dropout: Sendable {
    package let rate: Double
    package let layer: Int
    package let site: Int

    package init(rate: Double, layer: Int, site: Int) {
        self.rate = rate
        self.layer = layer
        self.site = site
    }

    /// Nothing is dropped.
    package static let none = Dropout(rate: 0, layer: 0, site: 0)

    package func isActive(_ context: SliceContext) -> Bool { rate > 0 && context.dropout != nil }

    package static func threshold(_ rate: Double) -> UInt32 { UInt32(min(rate * 0x1p32, 0xffff_ffff)) }

    /// y = mask x, [T, n]; y may be x. Forward and backward are the same map. Copies (or does nothing in place) when
    /// inactive.
    package func apply(_ context: SliceContext, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ n: Int) {
        guard rate > 0, let stream = context.dropout else {
            if x != UnsafePointer(y) {
                context.team.alone(as: .elementwise) { y.update(from: x, count: context.length * n) }
            }
            return
        }
        let key = stream.key(layer: layer, site: site)
        context.team.share(context.length) { _, rows in
            let o = rows.lowerBound * n
            context.kernels.tokens.random.dropoutRows(
                DropoutArguments(
                    y: MutableFloatRows(y + o, stride: n), x: FloatRows(x + o, stride: n),
                    extent: Extent(rows: rows.count, columns: n),
                    words: RandomWords(
                        key: RandomKey(word0: key.x, word1: key.y), first: (context.slice.start + rows.lowerBound) * n,
                        perRow: n), threshold: Self.threshold(rate), scale: Float(1 / (1 - rate)), dropped: 0))
        }
    }
}
