import Hardware
import KernelInterface
import Numerics

extension RotaryTable.Values {
    /// Turns the pairs of the first `heads` heads in all rows of a slice by their positions' angles, in place.
    ///
    /// - Parameters:
    ///   - x: [T, _]
    ///   - direction: 1, or -1 to turn back
    package func rotate(
        _ context: SliceContext, _ x: MutableFloatRows, features: Int, heads: Int, direction: Float
    ) {
        if heads == 0 { return }
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                let cosine = cosines.baseAddress!
                let sine = sines.baseAddress!
                context.team.share(context.length) { _, rows in
                    let t = rows.lowerBound
                    context.kernels.tokens.queries.rotate(
                        RotateArguments(
                            x: MutableFloatRows(x.base + t * x.stride, stride: x.stride),
                            angles: RotaryAngles(cosines: cosine + t * features, sines: sine + t * features),
                            direction: direction,
                            rows: rows.count, features: features, heads: heads))
                }
            }
        }
    }
}
