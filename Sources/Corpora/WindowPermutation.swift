import Numerics

/// A bijection of `0 ..< count` that looks random and depends on (seed, epoch) alone: a Feistel network over the next
/// even power of two, walked on until it falls below `count` (Black and Rogaway, "Ciphers with arbitrary finite
/// domains", 2002). It takes no memory, so every rank computes the order of an epoch for itself.
struct WindowPermutation: Sendable {
    let count: Int
    private let generator: CounterGenerator
    private let halfBits: UInt64
    private let halfMask: UInt64

    private static let rounds: UInt64 = 6

    init(count: Int, seed: UInt64, epoch: Int) {
        precondition(count > 0 && epoch >= 0)
        self.count = count
        generator = CounterGenerator(seed: seed, stream: RandomStream.corpusWindows &+ UInt64(epoch))
        let bits = UInt64(max(2, Int.bitWidth - (count - 1).leadingZeroBitCount))
        halfBits = (bits + 1) / 2
        halfMask = 1 << halfBits - 1
    }

    /// Where the window at `index` of the epoch's order lies.
    subscript(index: Int) -> Int {
        precondition(0 <= index && index < count)
        var value = UInt64(index)
        repeat { value = encrypt(value) } while value >= UInt64(count)
        return Int(value)
    }

    private func encrypt(_ value: UInt64) -> UInt64 {
        var left = value >> halfBits
        var right = value & halfMask
        for round in 0..<Self.rounds {
            (left, right) = (right, left ^ generator.word(round << halfBits | right) & halfMask)
        }
        return left << halfBits | right
    }
}
