/// Something that has to hold between keys of `[model]`. Keys are named as in the section: `heads`.
package struct ModelRule: Sendable {
    /// Other values for a key that may mend it; those that do and break nothing else are proposed.
    package struct Remedy: Sendable {
        package enum Values: Sendable { case multiples, divisors }

        package let key: String
        package let values: Values
        /// What they are multiples or divisors of.
        package let number: @Sendable (any Architecture) -> Int
    }

    /// "dim = 100 (at run.toml:4)" for a key's name.
    package typealias Quote = (_ key: String) -> String

    package let holds: @Sendable (_ resolved: any Architecture) -> Bool
    /// What is wrong where it doesn't hold.
    package let problem: @Sendable (_ resolved: any Architecture, _ quote: Quote) -> String
    package let remedies: [Remedy]
    /// What else helps, in the imperative: "set model.rope_heads to -1".
    package let advice: @Sendable (_ resolved: any Architecture) -> [String]

    package init<Model: Architecture>(
        _ holds: @escaping @Sendable (Model) -> Bool,
        problem: @escaping @Sendable (Model, Quote) -> String, remedies: [Remedy] = [],
        advice: @escaping @Sendable (Model) -> [String] = { _ in [] }
    ) {
        self.holds = { holds(Model.own($0)) }
        self.problem = { problem(Model.own($0), $1) }
        self.remedies = remedies
        self.advice = { advice(Model.own($0)) }
    }

    private init(
        remedies: [Remedy], holds: @escaping @Sendable (any Architecture) -> Bool,
        problem: @escaping @Sendable (any Architecture, Quote) -> String
    ) {
        self.holds = holds
        self.problem = problem
        self.remedies = remedies
        advice = { _ in [] }
    }

    /// One key's number is a multiple of another's.
    package static func divides(_ divisor: String, _ number: String) -> ModelRule {
        ModelRule(remedies: [.multiples(number, of: divisor), .divisors(divisor, of: number)]) {
            $0.integer(number) % $0.integer(divisor) == 0
        } problem: {
            "\($1(number)) is not a multiple of \($1(divisor))"
        }
    }

    /// Each of so many groups has more than one feature.
    ///
    /// - Parameter who: what takes the groups
    package static func severalFeatures(_ number: String, over divisor: String, _ who: String) -> ModelRule {
        ModelRule(remedies: [.multiples(number, of: divisor), .divisors(divisor, of: number)]) {
            let (n, d) = ($0.integer(number), $0.integer(divisor))
            return n % d != 0 || n / d >= 2
        } problem: {
            "\($1(number)) over \($1(divisor)) leaves \(who) one feature, of which nothing but its sign comes through"
        }
    }
}

extension ModelRule.Remedy {
    package static func multiples(_ key: String, of divisor: String) -> Self {
        Self(key: key, values: .multiples) { $0.integer(divisor) }
    }

    package static func divisors(_ key: String, of number: String) -> Self {
        Self(key: key, values: .divisors) { $0.integer(number) }
    }

    package static func multiples<Model: Architecture>(
        _ key: String, of divisor: @escaping @Sendable (Model) -> Int
    ) -> Self {
        Self(key: key, values: .multiples) { divisor(Model.own($0)) }
    }
}
