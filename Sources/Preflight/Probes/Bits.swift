import Hardware
import Kernels
import Numerics

/// A fixed computation whose result must have the same bits on every node, or resumed and replicated runs do not agree.
enum Bits {
    private static let size = 120

    /// 16 hexadecimal digits.
    static func digest() -> String {
        let count = size * size
        let (a, b, c) = (FloatBuffer(count), FloatBuffer(count), FloatBuffer(count))
        let (first, second) = (CounterGenerator(seed: 6, stream: 1), CounterGenerator(seed: 6, stream: 2))
        for i in 0..<count {
            a.base[i] = Float(first.uniform(UInt64(i)) - 0.5)
            b.base[i] = Float(second.uniform(UInt64(i)) - 0.5)
        }
        TileProducts(Team()).multiply(
            Product(
                rows: size, columns: size, depth: size, Factor(a.base, stride: size),
                Factor(b.base, stride: size, transposed: true), to: Destination(c.base, stride: size)))
        // Through exponentials too: biasSilu of the products.
        KernelTable.best.tokens.gating.biasSilu(
            BiasSiluArguments(
                x: MutableFloatRows(c.base, stride: size), bias: nil, y: MutableFloatRows(a.base, stride: size),
                extent: Extent(rows: size, columns: size)))
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for i in 0..<count {
            hash = (hash ^ UInt64(a.base[i].bitPattern)) &* 0x100_0000_01b3
            hash = (hash ^ UInt64(c.base[i].bitPattern)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
