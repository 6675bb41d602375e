import Glibc
import Numerics

/// First values of a tensor (GECKO.md, Initialisation). A pure function of (seed, tensor name): every layout starts alike.
package enum Initializer: Sendable, Equatable {
    case constant(Float)
    /// Normal with this standard deviation.
    case normal(Double)
    /// Normal truncated at three standard deviations.
    case truncatedNormal(Double)
    /// Complex pairs [.., 2]: a normal real part, imaginary part 0.
    case realNormal(Double)
    /// Logits of a random permutation of exp(-j log(D) / D), j = 1..D.
    case permutedFrequencies

    /// Writes `count` values.
    package func fill(_ out: UnsafeMutablePointer<Float>, count: Int, name: String, seed: UInt64) {
        let source = NormalSource(CounterGenerator(seed: seed, stream: Self.stream(of: name)))
        switch self {
        case .constant(let value):
            out.update(repeating: value, count: count)
        case .normal(let deviation):
            for i in 0..<count { out[i] = Float(deviation * source[UInt64(i)]) }
        case .truncatedNormal(let deviation):
            for i in 0..<count { out[i] = Float(deviation * source.truncated(UInt64(i), at: 3)) }
        case .realNormal(let deviation):
            for i in 0..<count { out[i] = i % 2 == 0 ? Float(deviation * source[UInt64(i / 2)]) : 0 }
        case .permutedFrequencies:
            var order = Array(1...count)
            for i in stride(from: count - 1, to: 0, by: -1) {
                order.swapAt(i, Int(source.generator.integer(UInt64(i), below: UInt64(i + 1))))
            }
            let step = log(Double(count)) / Double(count)
            for i in 0..<count {
                let f = exp(-step * Double(order[i]))
                out[i] = Float(log(f / (1 - f)))
            }
        }
    }

    /// FNV-1a of the name, so that a tensor's values depend on nothing else of the model.
    static func stream(of name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

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
}
