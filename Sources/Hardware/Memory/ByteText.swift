/// Bytes as people read them.
package enum ByteText {
    /// Binary units, one decimal where it tells something.
    package static func of(_ bytes: Int) -> String { of(Double(bytes)) }

    package static func of(_ bytes: Double) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = bytes
        var unit = 0
        while value >= 1024, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        guard value < 1e6 else { return "more than any machine has" }
        let rounded = (value * 10).rounded() / 10
        let number = rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
        return "\(number) \(units[unit])"
    }
}
