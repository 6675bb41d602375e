extension [Double] {
    /// The middle value, or the mean of the two middle ones; nil if there is none.
    package var median: Double? {
        guard !isEmpty else { return nil }
        let sorted = sorted()
        let upper = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[upper] : (sorted[upper - 1] + sorted[upper]) / 2
    }

    package var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
