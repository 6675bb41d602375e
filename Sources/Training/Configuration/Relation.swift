import Model

/// Something that has to hold between keys of a configuration.
struct Relation: Sendable {
    /// A key, and other values for it that may mend the relation, the nearest first below and above what it has.
    struct Remedy: Sendable {
        let key: String
        let values: @Sendable (_ resolved: RunConfiguration) -> (below: [Int], above: [Int])
    }

    let holds: @Sendable (_ resolved: RunConfiguration) -> Bool
    /// What is wrong where it doesn't hold.
    let problem: @Sendable (_ resolved: RunConfiguration) -> String
    let remedies: [Remedy]
    /// What else helps, in the imperative: "leave data.separator out".
    let advice: @Sendable (_ resolved: RunConfiguration) -> [String]

    init(
        _ holds: @escaping @Sendable (RunConfiguration) -> Bool,
        problem: @escaping @Sendable (RunConfiguration) -> String, remedies: () -> [Remedy] = { [] },
        advice: @escaping @Sendable (RunConfiguration) -> [String] = { _ in [] }
    ) {
        self.holds = holds
        self.problem = problem
        self.remedies = remedies()
        self.advice = advice
    }
}

extension Relation {
    /// An architecture's rule, whose keys are those of `[model]`.
    init(_ rule: ModelRule) {
        self.init {
            rule.holds($0.model)
        } problem: { configuration in
            rule.problem(configuration.model) { configuration.quote("model.\($0)") }
        } remedies: {
            rule.remedies.map { remedy in
                let key = "model.\(remedy.key)"
                switch remedy.values {
                case .multiples: return .multiples(key) { remedy.number($0.model) }
                case .divisors: return .divisors(key) { remedy.number($0.model) }
                }
            }
        } advice: {
            rule.advice($0.model)
        }
    }

    /// The problem with values that would do: each of them was tried, and breaks nothing else.
    func text(_ given: RunConfiguration, _ resolved: RunConfiguration) -> String {
        let changes = remedies.compactMap { remedy -> String? in
            let values = working(remedy, given, resolved)
            return values.isEmpty ? nil : "\(remedy.key) to " + values.map(String.init).joined(separator: " or ")
        }
        var ways = advice(resolved)
        if !changes.isEmpty { ways.insert("set " + changes.joined(separator: " or "), at: 0) }
        return problem(resolved) + (ways.isEmpty ? "" : ": " + ways.joined(separator: ", or "))
    }

    /// Values that are tried on each side.
    private static let mostTried = 64

    private func working(_ remedy: Remedy, _ given: RunConfiguration, _ resolved: RunConfiguration) -> [Int] {
        guard let key = given.keys[remedy.key] else { preconditionFailure("\(remedy.key) is a key") }
        let others = Self.all(resolved).filter { $0.holds(resolved) }
        func works(_ value: Int) -> Bool {
            var changed = given
            guard key.set(.integer(value), in: &changed) == nil else { return false }
            changed.resolve()
            return holds(changed) && others.allSatisfy { $0.holds(changed) }
        }
        let (below, above) = remedy.values(resolved)
        return [below, above].compactMap { $0.prefix(Self.mostTried).first(where: works) }
    }
}

extension Relation.Remedy {
    /// Multiples of `divisor` around the key's value.
    static func multiples(_ key: String, of divisor: @escaping @Sendable (RunConfiguration) -> Int) -> Self {
        Self(key: key) { c in
            let (d, n) = (max(1, divisor(c)), c.integer(key))
            let below = n / d
            return (
                (0..<64).map { (below - $0) * d }.filter { $0 > 0 && $0 != n },
                (1...64).map { (below + $0) * d }
            )
        }
    }

    /// Divisors of `number` around the key's value.
    static func divisors(_ key: String, of number: @escaping @Sendable (RunConfiguration) -> Int) -> Self {
        Self(key: key) { c in
            let (all, d) = (RunConfiguration.divisors(of: number(c)), c.integer(key))
            return (all.filter { $0 < d }.reversed(), all.filter { $0 > d })
        }
    }

    /// One value.
    static func value(_ key: String, _ value: @escaping @Sendable (RunConfiguration) -> Int) -> Self {
        Self(key: key) { ([value($0)], []) }
    }
}

extension RunConfiguration {
    func integer(_ name: String) -> Int {
        guard case .integer(let value)? = keys[name]?.value(in: self) else {
            preconditionFailure("\(name) is an integer key")
        }
        return value
    }

    /// Ascending.
    static func divisors(of number: Int) -> [Int] {
        var low: [Int] = []
        var high: [Int] = []
        var d = 1
        while d <= number / d {
            if number % d == 0 {
                low.append(d)
                if d != number / d { high.append(number / d) }
            }
            d += 1
        }
        return low + high.reversed()
    }

    /// The key with its value and where it was set: "model.dim = 100 (at run.toml:4)".
    func quote(_ name: String) -> String {
        let value = keys[name].map { $0.value(in: self).toml } ?? ""
        return "\(name) = \(value)" + (origins[name].map { " (\($0.phrase))" } ?? "")
    }
}
