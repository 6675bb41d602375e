import Figures
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
