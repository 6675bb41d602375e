import Glibc

/// Cosines and sines of the rotary angles p f_j of absolute positions p, f_j = base^(-2j/dz).
///
/// A position is cut at a multiple of 64: cos(a + b) = cos a cos b - sin a sin b, in double. So a table costs a few
/// multiplications a number and can be made again whenever it is needed; and since the cut is the same for everyone,
/// the numbers depend on the position alone, not on the slice that asks.
package struct RotaryTable: Sendable {
    /// dz
    package let keyDim: Int
    private let frequencies: [Double]
    /// cos and sin of r f_j for r < `block`, [block, pairs].
    private let smallCosines: [Double]
    private let smallSines: [Double]

    private static let block = 64

    package init(keyDim: Int, base: Double) {
        self.keyDim = keyDim
        let frequencies = (0..<keyDim / 2).map { pow(base, -Double(2 * $0) / Double(keyDim)) }
        self.frequencies = frequencies
        let angles = (0..<Self.block).flatMap { r in frequencies.map { Double(r) * $0 } }
        smallCosines = angles.map { cos($0) }
        smallSines = angles.map { sin($0) }
    }

    /// The tables [length, dz] of a slice: each angle twice, sines with signs (-, +).
    package struct Values: Sendable {
        package internal(set) var cosines: [Float] = []
        package internal(set) var sines: [Float] = []

        package init() {}
    }

    /// Writes the tables of the positions from `start` on, times `scale`.
    ///
    /// - Parameter period: positions begin anew at its multiples; nil: never
    package func fill(start: Int, length: Int, period: Int? = nil, scale: Double = 1, _ values: inout Values) {
        let count = length * keyDim
        if values.cosines.count != count {
            values.cosines = [Float](repeating: 0, count: count)
            values.sines = values.cosines
        }
        let pairs = frequencies.count
        if pairs == 0 { return }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * pairs) { large in
            values.cosines.withUnsafeMutableBufferPointer { cosines in
                values.sines.withUnsafeMutableBufferPointer { sines in
                    var known = -1
                    for t in 0..<length {
                        let position = period.map { (start + t) % $0 } ?? start + t
                        let (quotient, r) = position.quotientAndRemainder(dividingBy: Self.block)
                        if quotient != known {
                            known = quotient
                            for j in 0..<pairs {
                                let angle = Double(quotient * Self.block) * frequencies[j]
                                large[2 * j] = cos(angle)
                                large[2 * j + 1] = sin(angle)
                            }
                        }
                        for j in 0..<pairs {
                            let (a, b) = (large[2 * j], large[2 * j + 1])
                            let (c, d) = (smallCosines[r * pairs + j], smallSines[r * pairs + j])
                            let cosine = Float(scale * (a * c - b * d))
                            let sine = Float(scale * (b * c + a * d))
                            let k = t * keyDim + 2 * j
                            cosines[k] = cosine
                            cosines[k + 1] = cosine
                            sines[k] = -sine
                            sines[k + 1] = sine
                        }
                    }
                }
            }
        }
    }
}
