#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Double {
    /// The number with `digits` digits behind the point, whatever the locale.
    package func fixed(_ digits: Int) -> String { formatted("%.\(digits)f") }

    /// Four significant digits without needless zeros.
    package var significant: String {
        guard isFinite, self != 0 else { return isNaN ? "nan" : self == 0 ? "0" : (self > 0 ? "inf" : "-inf") }
        // Nobody counts more zeros than this.
        guard (1e-6..<1e7).contains(abs(self)) else { return formatted("%.4g") }
        let digits = max(0, 3 - Int(log10(abs(self)).rounded(.down)))
        var text = fixed(digits)
        if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text
    }

    /// One digit behind the point below a hundred, unless it is a zero of a whole number: 12.3, 12, 123.
    package var brief: String {
        self >= 99.95 || self == rounded() ? rounded().fixed(0) : ((self * 10).rounded() / 10).fixed(1)
    }

    /// As C's printf writes it. The program never sets a locale, so the point is a point.
    private func formatted(_ format: String) -> String {
        // The largest number has 309 digits before the point.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
            let count = withVaList([self]) { vsnprintf(text.baseAddress!, text.count, format, $0) }
            precondition((0..<text.count).contains(Int(count)), "\(format): too many digits")
            return String(decoding: text.prefix(Int(count)).lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
}
