extension Double {
    /// Seconds in the unit that reads best, with four significant digits: 1.234 ms.
    package var asTime: String {
        switch abs(self) {
        case 0: "0 s"
        case ..<1e-3: (self * 1e6).significant + " \u{b5}s"
        case ..<1: (self * 1e3).significant + " ms"
        case ..<3600: significant + " s"
        default: (self / 3600).significant + " h"
        }
    }

    /// Seconds as a clock shows them, rounded up: 1:02, or 1:02:03 with hours.
    package var asClock: String {
        guard isFinite, self < 1e9 else { return "?" }
        let whole = Int(max(0, self).rounded(.up))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    /// Seconds of clocks that differ: 1.2 ms, or 1.2 s from a second on.
    package var asMilliseconds: String { self < 1 ? "\((self * 1e3).brief) ms" : "\(brief) s" }

    /// Seconds of a short message, so that a column of them compares at a glance: 1.2 us.
    package var asMicroseconds: String { "\((self * 1e6).brief) us" }
}
