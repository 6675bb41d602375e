extension Double {
    /// A share 0 ... 1 as a percentage with one digit behind the point: 12.3 %.
    package var asPercentage: String { (self * 1000).rounded().percent(1) }

    /// A share where tenths of a percent say nothing: 12 %.
    package var asWholePercentage: String { (self * 100).rounded().percent(0) }

    /// A share where there is room for nothing more: 12%.
    package var asTersePercentage: String { isFinite ? (self * 100).fixed(0) + "%" : "\(self)" }

    /// Rounding must not leave a zero with a sign.
    private func percent(_ digits: Int) -> String {
        ((self == 0 ? 0 : self) / (digits == 0 ? 1 : 10)).fixed(digits) + " %"
    }
}
