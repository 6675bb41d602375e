/// Largest |found - expected| relative to the largest finite |expected|; infinities must agree, a NaN never does.
///
/// - Parameter floor: the least size that deviations are related to, for sums of numbers near 1 that may cancel.
package func deviation(_ found: [Double], from expected: [Double], floor: Double = 0) -> Double {
    guard found.count == expected.count else { return .infinity }
    var worst = 0.0
    var largest = floor
    for (a, b) in zip(found, expected) where !(a.isInfinite && a == b) {
        let difference = abs(a - b)
        worst = difference.isNaN ? .infinity : max(worst, difference)
        largest = max(largest, abs(b))
    }
    return worst == 0 ? 0 : worst / (largest > 0 ? largest : 1)
}
