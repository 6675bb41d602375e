import Glibc
import Kernels
import Numerics

/// Standard normal numbers by index (Box-Muller).
struct NormalSource {
    let generator: CounterGenerator

    init(_ generator: CounterGenerator) { self.generator = generator }

    subscript(_ i: UInt64) -> Double {
        let u = 1 - generator.uniform(2 * i)
        let angle = 2 * Double.pi * generator.uniform(2 * i + 1)
        return (-2 * log(u)).squareRoot() * cos(angle)
    }

    /// The first of a fixed series of draws for index `i` that lies within `bound`.
    func truncated(_ i: UInt64, at bound: Double) -> Double {
        var attempt: UInt64 = 0
        while true {
            let x = self[i &+ attempt << 40]
            if abs(x) <= bound { return x }
            attempt += 1
        }
    }

    /// Writes out[i] = deviation x (number i, truncated at `bound`) for `part`: several at a time where those are sure
    /// to be the same.
    func fill(_ out: UnsafeMutablePointer<Float>, _ part: Range<Int>, deviation: Double, bound: Double) {
        for start in stride(from: part.lowerBound, to: part.upperBound, by: Self.block) {
            let count = min(Self.block, part.upperBound - start)
            let unsure = KernelTable.best.tokens.random.normals(
                NormalsArguments(
                    out: out + start, count: count, key: RandomKey(word0: generator.key.x, word1: generator.key.y),
                    first: start, deviation: deviation, limit: bound))
            guard unsure > 0 else { continue }
            for i in start..<start + count where out[i].isNaN {
                out[i] = Float(deviation * truncated(UInt64(i), at: bound))
            }
        }
    }

    /// Numbers that are looked over while they are in the cache.
    private static let block = 4096
}
