/// Sums and products of sizes, which end at the largest number: what can't be had is refused by whoever compares it
/// with what there is.
extension Int {
    /// Neither is negative.
    package func saturatingTimes(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    package func saturatingPlus(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The sum of all.
    package static func saturatingSum(_ sizes: some Sequence<Int>) -> Int { sizes.reduce(0) { $0.saturatingPlus($1) } }
}
