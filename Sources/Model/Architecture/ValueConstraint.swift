/// The range of values that a numeric key takes by itself; relations between keys are checked by the architecture's
/// rules and the run's relations.
package struct ValueConstraint: Sendable {
    /// Completes "expected an integer ...", or is empty.
    package let phrase: String
    /// The same for a reader of the help, as in ">= 1".
    package let symbols: String
    private let allows: @Sendable (Double) -> Bool
    /// What is within the range but of no use: so many of anything can't be, or single precision makes it 0, 1 or
    /// infinite. Told only to who passes it.
    private let limits: ClosedRange<Double>

    private init(
        _ phrase: String, _ symbols: String, limits: ClosedRange<Double> = -1e30...1e30,
        allows: @escaping @Sendable (Double) -> Bool
    ) {
        self.phrase = phrase
        self.symbols = symbols
        self.limits = limits
        self.allows = allows
    }

    package func takes(_ value: Double) -> Bool { allows(value) && passedLimit(value) == nil }

    /// "at most 65536", where a value within the range passes a limit.
    package func passedLimit(_ value: Double) -> String? {
        guard allows(value), !limits.contains(value), value != 0 else { return nil }
        return value > limits.upperBound
            ? "at most \(Self.text(limits.upperBound))" : "at least \(Self.text(limits.lowerBound))"
    }

    private static func text(_ limit: Double) -> String { Int(exactly: limit).map(String.init) ?? "\(limit)" }

    package static let any = ValueConstraint("", "") { _ in true }

    /// Counts that nothing is laid out by end where products of two of them still are below 2^63.
    package static func atLeast(_ low: Int, atMost high: Int = Int(Int32.max)) -> ValueConstraint {
        ValueConstraint("of at least \(low)", ">= \(low)", limits: -1...Double(high)) { $0 >= Double(low) }
    }

    package static func above(_ low: Int, within limits: ClosedRange<Double>) -> ValueConstraint {
        ValueConstraint("above \(low)", "> \(low)", limits: limits) { $0 > Double(low) }
    }

    package static func positive(within limits: ClosedRange<Double>) -> ValueConstraint { above(0, within: limits) }

    /// 0 turns something off or is an extreme that has a meaning; what is above it is within `limits`.
    package static func notNegative(within limits: ClosedRange<Double>) -> ValueConstraint {
        ValueConstraint("of at least 0", ">= 0", limits: limits) { $0 >= 0 }
    }

    /// A share that may be nothing but not all: [0, 1).
    package static func belowOne(atMost high: Double) -> ValueConstraint {
        ValueConstraint("of at least 0 and below 1", "in [0, 1)", limits: 0...high) { $0 >= 0 && $0 < 1 }
    }

    /// The nearest to 1 that a decay may be: nearer ones are 1 in single precision, and a mean with decay 1 never
    /// moves.
    package static let largestDecay = 0.9999999

    /// The decay of a running mean: (0, 1).
    package static let decay = ValueConstraint(
        "between 0 and 1, both excluded", "in (0, 1)", limits: 1e-7...largestDecay
    ) {
        $0 > 0 && $0 < 1
    }
    /// [0, 1].
    package static let share = ValueConstraint("from 0 to 1", "in [0, 1]") { $0 >= 0 && $0 <= 1 }
}
