extension Int {
    /// Bytes in the unit that reads best, with four significant digits: 1.234 GiB.
    package var asBytes: String {
        let (value, unit) = inUnits(Double(self))
        return "\(value.significant) \(unit)"
    }

    /// `Double.asShortBytes`
    package var asShortBytes: String { Double(self).asShortBytes }
}

extension Double {
    /// Bytes in the unit that reads best, with one digit behind the point where it tells something: 1.2 GiB, 3 GiB.
    package var asShortBytes: String {
        let (value, unit) = inUnits(self)
        guard value < 1e6 else { return "more than any machine has" }
        let tenths = (value * 10).rounded() / 10
        return "\(tenths.fixed(tenths == tenths.rounded() ? 0 : 1)) \(unit)"
    }

    /// Bytes in GiB, so that a column of them compares at a glance.
    package var asGibibytes: String { "\((self / 1_073_741_824).brief) GiB" }

    /// Bytes a second as bits a second, as networks are named.
    package var asBitRate: String {
        let bits = 8 * self
        return bits >= 0.95e9 ? "\((bits / 1e9).brief) Gbit/s" : "\((bits / 1e6).brief) Mbit/s"
    }
}

private func inUnits(_ bytes: Double) -> (value: Double, unit: String) {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var value = bytes
    var unit = 0
    while abs(value) >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return (value, units[unit])
}
