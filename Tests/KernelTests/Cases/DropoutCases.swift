import Kernels
import Numerics
import TestSupport

extension KernelCases {
    static let dropouts: [KernelCase] =
        shapes { dropoutRows($0, $1, firstRow: 5, stride: $1 + 7) }
        // The word's number passes 2^32 inside a row.
        + [dropoutRows(7, 33, firstRow: (1 << 32) / 40 - 3, stride: 40)]

    /// Element (t, i) draws word (row + t) stride + i of the stream, and is dropped when its low half is below the
    /// threshold.
    private static func dropoutRows(_ rows: Int, _ n: Int, firstRow: Int, stride: Int) -> KernelCase {
        var noise = Noise(121)
        let x = noise.floats(rows * n)
        let generator = CounterGenerator(seed: 99, stream: 7)
        let rate = 0.3
        let threshold = UInt32(rate * 0x1p32)
        return KernelCase("dropoutRows", "\(rows) x \(n) from \(firstRow)") { kernels, memory in
            kernels.tokens.random.dropoutRows(
                DropoutArguments(
                    y: memory.output("y", rows: rows, cols: n, stride: n + 3),
                    x: memory.input(x, cols: n, stride: n + 2), extent: Extent(rows: rows, columns: n),
                    words: RandomWords(
                        key: RandomKey(word0: generator.key.x, word1: generator.key.y), first: firstRow * stride,
                        perRow: stride), threshold: threshold, scale: Float(1 / (1 - rate)), dropped: -2))
        } expected: {
            [
                "y": x.indices.map { k in
                    let word = generator.word(UInt64((firstRow + k / n) * stride + k % n))
                    return UInt32(truncatingIfNeeded: word) < threshold ? -2 : Double(x[k]) / (1 - rate)
                }
            ]
        }
    }
}
