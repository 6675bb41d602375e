import Numerics

/// Seeded numbers for tests.
package struct Noise {
    private let generator: CounterGenerator
    private var next: UInt64 = 0

    package init(_ seed: Int) { generator = CounterGenerator(seed: UInt64(seed), stream: 0x7e57) }

    /// Uniform in [-scale, scale).
    package mutating func floats(_ count: Int, scale: Double = 1) -> [Float] {
        (0..<count).map { _ in
            next += 1
            return Float(scale * (2 * generator.uniform(next) - 1))
        }
    }

    package mutating func integer(below bound: Int) -> Int {
        next += 1
        return Int(generator.integer(next, below: UInt64(bound)))
    }
}
