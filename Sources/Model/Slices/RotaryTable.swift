import Glibc

/// Cosines and sines of the rotary angles p f_j of absolute positions p, f_j = base^(-2j/dz).
///
/// A position is cut at a multiple of 64: cos(a + b) = cos a cos b - sin a sin b, in double. So a table costs a few
/// multiplications a number and can be made again whenever it is needed; and since the cut is the same for everyone,
/// the numbers depend on the position alone, not on the slice that asks.
struct RotaryTable: Sendable {
    /// dz
    let keyDim: Int
    private let frequencies: [Double]
    /// cos and sin of r f_j for r < `block`, [block, pairs].
    private let smallCosines: [Double]
    private let smallSines: [Double]

    private static let block = 64

    init(keyDim: Int, base: Double) {
        self.keyDim = keyDim
        let frequencies = (0..<keyDim / 2).map { pow(base, -Double(2 * $0) / Double(keyDim)) }
        self.frequencies = frequencies
        let angles = (0..<Self.block).flatMap { r in frequencies.map { Double(r) * $0 } }
        smallCosines = angles.map { cos($0) }
        smallSines = angles.map { sin($0) }
    }

    /// Writes the tables [length, dz] of the positions from `start` on: each angle twice, sines with signs (-, +).
    func fill(start: Int, length: Int, cosines: inout [Float], sines: inout [Float]) {
        let count = length * keyDim
        if cosines.count != count {
            cosines = [Float](repeating: 0, count: count)
            sines = cosines
        }
        let pairs = frequencies.count
        if pairs == 0 { return }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * pairs) { large in
            smallCosines.withUnsafeBufferPointer { smallCosines in
                smallSines.withUnsafeBufferPointer { smallSines in
                    cosines.withUnsafeMutableBufferPointer { cosines in
                        sines.withUnsafeMutableBufferPointer { sines in
                            var known = -1
                            for t in 0..<length {
                                let (quotient, r) = (start + t).quotientAndRemainder(dividingBy: Self.block)
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
                                    let cosine = Float(a * c - b * d)
                                    let sine = Float(b * c + a * d)
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
    }
}
