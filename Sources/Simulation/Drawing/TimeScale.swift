import Foundation

/// A unit of time and round steps in it for an axis of a given length.
struct TimeScale {
    /// Seconds per unit.
    let unit: Double
    let symbol: String
    /// Units between two ticks.
    let step: Double
    private let length: Double

    /// - Parameters:
    ///   - length: seconds that the axis covers
    ///   - ticks: about how many ticks there should be
    init(length: Double, ticks: Int) {
        // Nothing takes time, or what no clock could tell from nothing.
        let length = length >= Self.shortest ? length : 1
        let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "\u{b5}s")]
        let (unit, symbol) = units.first { length >= 2 * $0.0 } ?? units[2]
        self.unit = unit
        self.symbol = symbol
        self.length = length
        let raw = length / unit / Double(max(1, ticks))
        let power = pow(10, (log10(raw)).rounded(.down))
        step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.999 } ?? 10 * power
    }

    /// Seconds below which an axis would have no length.
    static let shortest = 1e-15

    /// The ticks' places in seconds and their texts.
    var ticks: [(seconds: Double, text: String)] {
        let digits = max(0, Int((-log10(step * 1.001)).rounded(.up)))
        return (0...Int((length / unit / step * 1.000001).rounded(.down))).map {
            let value = Double($0) * step
            return (value * unit, value < 1e7 && digits <= 6 ? value.fixed(digits) : value.significant)
        }
    }
}

extension Double {
    /// The number with `digits` digits behind the point, whatever the locale.
    func fixed(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }

    /// Seconds in the unit that reads best.
    var asTime: String {
        switch abs(self) {
        case 0: "0 s"
        case ..<1e-3: (self * 1e6).significant + " \u{b5}s"
        case ..<1: (self * 1e3).significant + " ms"
        case ..<3600: significant + " s"
        default: (self / 3600).significant + " h"
        }
    }

    /// Four significant digits without needless zeros.
    var significant: String {
        guard isFinite, self != 0 else { return isNaN ? "nan" : self == 0 ? "0" : (self > 0 ? "inf" : "-inf") }
        // Nobody counts more zeros than this.
        guard (1e-6..<1e7).contains(abs(self)) else { return String(format: "%.4g", self) }
        let digits = max(0, 3 - Int(log10(abs(self)).rounded(.down)))
        var text = fixed(digits)
        if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text
    }

    /// A share as a percentage with one digit behind the point.
    var asPercentage: String {
        // Rounding must not leave a zero with a sign.
        let tenths = (self * 1000).rounded()
        return ((tenths == 0 ? 0 : tenths) / 10).fixed(1) + " %"
    }
}

extension Int {
    /// Bytes in the unit that reads best.
    var asBytes: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(self)
        var unit = 0
        while abs(value) >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(value.significant) \(units[unit])"
    }
}
