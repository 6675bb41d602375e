/// What became of one case.
package struct CaseReport: Sendable {
    package let file: String
    package let name: String
    /// The largest deviation over the case's tensors, each relative to its largest entry, and the tensor it was found
    /// in; of those past their tolerance if any is.
    package var deviation = 0.0
    package var tensor = ""
    package var tolerance = 0.0
    package var tensors = 0
    /// Names of what has been compared.
    private(set) var compared: Set<String> = []
    /// Why the case could not be run, or what differs that must be equal.
    package var failure: String?

    package init(file: String, name: String) {
        self.file = file
        self.name = name
    }

    package var passed: Bool { failure == nil && tensors > 0 && deviation <= tolerance }

    /// Largest |found - expected| relative to the largest finite |expected|. Infinities must agree exactly; a NaN never
    /// does.
    mutating func compare(_ name: String, _ found: [Float], _ expected: [Float], tolerance limit: Double) {
        tensors += 1
        compared.insert(name)
        guard found.count == expected.count else {
            failure = failure ?? "\(name): \(found.count) values where \(expected.count) are expected"
            return
        }
        var largest = 0.0
        var worst = 0.0
        for (a, b) in zip(found, expected) {
            if b.isInfinite || a.isInfinite {
                if a != b { worst = .infinity }
                continue
            }
            largest = max(largest, Double(abs(b)))
            let d = abs(Double(a) - Double(b))
            worst = d.isNaN ? .infinity : max(worst, d)
        }
        // An all-zero tensor has no scale of its own: what is found counts as it is.
        let relative = worst == 0 ? 0 : worst / (largest > 0 ? largest : 1)
        if relative / limit > (tolerance > 0 ? deviation / tolerance : -1) {
            deviation = relative
            tolerance = limit
            tensor = name
        }
    }

    mutating func require(_ name: String, _ found: [Int32], _ expected: [Int32]) {
        tensors += 1
        compared.insert(name)
        if found != expected {
            let i = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, expected.count)
            failure =
                failure
                    ?? """
                    \(name): differs at \(i): found \(i < found.count ? "\(found[i])" : "nothing"), expected \
                    \(i < expected.count ? "\(expected[i])" : "nothing")
                    """
        }
    }
}

/// Relative deviations that careful float32 stays under, with room for other shapes and longer sums.
enum Tolerance {
    static let output = 1e-5
    static let gradient = 4e-5
    /// Parameters after AdamW steps: a gradient near zero may change its sign, and the step with it.
    static let trajectory = 5e-4
}
