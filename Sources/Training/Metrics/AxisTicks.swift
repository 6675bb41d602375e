import Foundation

/// Round numbers to mark on an axis.
struct AxisTicks {
    let values: [Double]
    private let digits: Int

    /// About `count` marks at multiples of 1, 2 or 5 times a power of ten within `range`.
    init(_ range: ClosedRange<Double>, count: Int, integral: Bool = false) {
        let rough = (range.upperBound - range.lowerBound) / Double(max(1, count))
        let power = pow(10, floor(log10(max(rough, .leastNormalMagnitude))))
        let factors: [Double] = [1, 2, 5, 10]
        var step = power * (factors.first { $0 * power >= rough * 0.8 } ?? 10)
        if integral { step = max(1, step.rounded()) }
        digits = max(0, Int(-floor(log10(step) + 1e-9)))
        let first = (range.lowerBound / step - 1e-9).rounded(.up)
        let last = (range.upperBound / step + 1e-9).rounded(.down)
        values = first <= last ? stride(from: first, through: last, by: 1).map { $0 * step } : []
    }

    /// `value` with as many digits as the marks need.
    func label(_ value: Double) -> String {
        digits == 0 ? Self.grouped(Int(value)) : String(format: "%.\(digits)f", value == 0 ? 0 : value)
    }

    /// From 10 000 on the thousands are set apart by thin spaces.
    static func grouped(_ value: Int) -> String {
        guard value.magnitude >= 10_000 else { return String(value) }
        var grouped = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { grouped.append("\u{2009}") }
            grouped.append(digit)
        }
        return String(grouped.reversed())
    }
}
