import Glibc
import Kernels
import Numerics

extension KernelCases {
    static let normals: [KernelCase] =
        widths.flatMap { [normals($0, first: 0, limit: .infinity), normals($0, first: 40, limit: 1)] }
        // The words' numbers pass 2^32.
        + [normals(33, first: (1 << 31) - 5, limit: .infinity), normals(1000, first: 1000, limit: 3)]

    /// What is at or beyond the limit is left to the caller: here it stands as 99.
    private static func normals(_ n: Int, first: Int, limit: Double) -> KernelCase {
        let generator = CounterGenerator(seed: 99, stream: 8)
        let numbers = (first..<first + n).map { i in
            let u = 1 - generator.uniform(UInt64(2 * i))
            return (-2 * log(u)).squareRoot() * cos(2 * Double.pi * generator.uniform(UInt64(2 * i + 1)))
        }
        return KernelCase("normals", "\(n) from \(first) below \(limit)", tolerance: 1e-7) { kernels, memory in
            let out = memory.output("out", rows: 1, cols: n)
            let left = kernels.tokens.random.normals(
                NormalsArguments(
                    out: out, count: n, key: RandomKey(word0: generator.key.x, word1: generator.key.y), first: first,
                    deviation: 0.25, limit: limit))
            memory.output("left", doubles: 1).pointee = Double(left)
            for i in 0..<n where out[i].isNaN { out[i] = 99 }
        } expected: {
            [
                "out": numbers.map { abs($0) < limit ? 0.25 * $0 : 99 },
                "left": [Double(numbers.count { abs($0) >= limit })],
            ]
        }
    }
}
