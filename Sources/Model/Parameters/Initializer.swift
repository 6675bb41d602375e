import Glibc
import Numerics

/// First values of a tensor (GECKO.md, Initialisation). A pure function of (seed, tensor name): every layout starts
/// alike.
package enum Initializer: Sendable, Equatable {
    case constant(Float)
    /// Normal with this standard deviation.
    case normal(Double)
    /// Normal truncated at three standard deviations.
    case truncatedNormal(Double)
    /// Normal with this standard deviation, truncated at so many of them.
    case normalWithin(Double, deviations: Double)
    /// 1, -1, 1, ... along rows of so many values, and a little noise: normal with this standard deviation.
    case alternatingSigns(Double, row: Int)
    /// Complex pairs [.., 2]: a normal real part, imaginary part 0.
    case realNormal(Double)
    /// Logits of a random permutation of exp(-j log(D) / D), j = 1..D.
    case permutedFrequencies

    /// Writes `count` values.
    package func fill(_ out: UnsafeMutablePointer<Float>, count: Int, name: String, seed: UInt64) {
        fill(out, 0..<count, of: count, name: name, seed: seed)
    }

    /// Writes those of a tensor's `count` values that lie in `part`; the tensor begins at `out`.
    func fill(_ out: UnsafeMutablePointer<Float>, _ part: Range<Int>, of count: Int, name: String, seed: UInt64) {
        let source = NormalSource(CounterGenerator(seed: seed, stream: Self.stream(of: name)))
        switch self {
        case .constant(let value):
            (out + part.lowerBound).update(repeating: value, count: part.count)
        case .normal(let deviation):
            source.fill(out, part, deviation: deviation, bound: .infinity)
        case .truncatedNormal(let deviation):
            source.fill(out, part, deviation: deviation, bound: 3)
        case .normalWithin(let deviation, let bound):
            source.fill(out, part, deviation: deviation, bound: bound)
        case .alternatingSigns(let deviation, let row):
            source.fill(out, part, deviation: deviation, bound: .infinity)
            for i in part { out[i] += i % row % 2 == 0 ? 1 : -1 }
        case .realNormal(let deviation):
            for i in part { out[i] = i % 2 == 0 ? Float(deviation * source[UInt64(i / 2)]) : 0 }
        case .permutedFrequencies:
            var order = Array(1...count)
            for i in stride(from: count - 1, to: 0, by: -1) {
                order.swapAt(i, Int(source.generator.integer(UInt64(i), below: UInt64(i + 1))))
            }
            let step = log(Double(count)) / Double(count)
            for i in part {
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
