/// A counter-based random generator: Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC11). Word `i` of a stream is a pure function of (seed, stream, i), so every layout of ranks, stages and
/// threads that asks for the same word gets the same number, in any order.
package struct CounterGenerator: Sendable, Equatable {
    package let key: SIMD2<UInt32>

    /// A stream of its own for every `(seed, stream)`; `stream` names the use (a tensor, an epoch, a dropout site).
    package init(seed: UInt64, stream: UInt64) {
        let mixed = Self.block(
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)),
            counter: SIMD2(UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)))
        key = mixed
    }

    /// Word `counter` of the stream, uniform over all 64-bit values.
    package func word(_ counter: UInt64) -> UInt64 {
        let x = Self.block(
            key: key, counter: SIMD2(UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32)))
        return UInt64(x.y) << 32 | UInt64(x.x)
    }

    /// Uniform in [0, 1) with 53 random bits.
    package func uniform(_ counter: UInt64) -> Double {
        Double(word(counter) >> 11) * 0x1p-53
    }

    /// An integer below `bound`, without visible bias for bounds below 2^32.
    package func integer(_ counter: UInt64, below bound: UInt64) -> UInt64 {
        word(counter).multipliedFullWidth(by: bound).high
    }

    /// The Threefry-2x32-20 block function.
    package static func block(key: SIMD2<UInt32>, counter: SIMD2<UInt32>) -> SIMD2<UInt32> {
        let k0 = key.x
        let k1 = key.y
        let k2 = 0x1BD1_1BDA ^ k0 ^ k1
        var x = counter.x &+ k0
        var y = counter.y &+ k1
        func round(_ r: UInt32) {
            x = x &+ y
            y = (y << r | y >> (32 &- r)) ^ x
        }
        func mix(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) {
            round(a)
            round(b)
            round(c)
            round(d)
        }
        mix(13, 15, 26, 6)
        x = x &+ k1
        y = y &+ k2 &+ 1
        mix(17, 29, 16, 24)
        x = x &+ k2
        y = y &+ k0 &+ 2
        mix(13, 15, 26, 6)
        x = x &+ k0
        y = y &+ k1 &+ 3
        mix(17, 29, 16, 24)
        x = x &+ k1
        y = y &+ k2 &+ 4
        mix(13, 15, 26, 6)
        x = x &+ k2
        y = y &+ k0 &+ 5
        return SIMD2(x, y)
    }
}
