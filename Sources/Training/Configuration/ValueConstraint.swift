/// The range of values that a numeric key takes by itself; relations between keys are checked by `validated(world:)`.
package struct ValueConstraint: Sendable {
    /// Completes "expected an integer ...", or is empty.
    let phrase: String
    /// The same for a reader of the help, as in ">= 1".
    let symbols: String
    let allows: @Sendable (Double) -> Bool

    static let any = ValueConstraint(phrase: "", symbols: "") { _ in true }

    static func atLeast(_ low: Int) -> ValueConstraint {
        ValueConstraint(phrase: "of at least \(low)", symbols: ">= \(low)") { $0 >= Double(low) }
    }

    static let positive = ValueConstraint(phrase: "above 0", symbols: "> 0") { $0 > 0 }
    static let notNegative = ValueConstraint(phrase: "of at least 0", symbols: ">= 0") { $0 >= 0 }
    /// A share that may be nothing but not all: [0, 1).
    static let belowOne = ValueConstraint(phrase: "of at least 0 and below 1", symbols: "in [0, 1)") {
        $0 >= 0 && $0 < 1
    }
    /// The decay of a running mean: (0, 1).
    static let decay = ValueConstraint(phrase: "between 0 and 1, both excluded", symbols: "in (0, 1)") {
        $0 > 0 && $0 < 1
    }
    /// [0, 1].
    static let share = ValueConstraint(phrase: "from 0 to 1", symbols: "in [0, 1]") { $0 >= 0 && $0 <= 1 }
}
