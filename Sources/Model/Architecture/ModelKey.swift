/// What becomes of a run that goes on from a checkpoint with another value of a key than it had.
package enum OnResume: Sendable {
    /// It would be another run, and is refused.
    case anotherRun
    /// It goes on, with other numbers from there, and is told.
    case otherNumbers
    /// It goes on as if nothing had changed: the key means nothing to the numbers.
    case free
}

/// A key of `[model]` as its architecture declares it: name, what it takes, what it means, and the variable that holds
/// it.
package struct ModelKey: Sendable {
    package enum Value: Sendable, Equatable {
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        case text(String)
    }

    package enum Kind: Sendable, Equatable {
        case integer, number, boolean
        case choice([String])
    }

    package let name: String
    package let kind: Kind
    package let constraint: ValueConstraint
    package let help: String
    package let onResume: OnResume
    private let reading: @Sendable (any Architecture) -> Value
    private let writing: @Sendable (inout any Architecture, Value) -> Void

    package func value(in model: any Architecture) -> Value { reading(model) }

    /// - Parameter value: of the key's kind
    package func set(_ value: Value, in model: inout any Architecture) { writing(&model, value) }

    package typealias Path<Model, Value> = any WritableKeyPath<Model, Value> & Sendable

    package static func integer<Model: Architecture>(
        _ name: String, _ path: Path<Model, Int>, _ constraint: ValueConstraint, _ help: String,
        onResume: OnResume = .anotherRun
    ) -> Self {
        Self(
            name,
            Form(kind: .integer, constraint: constraint, write: Value.integer) { value in
                if case .integer(let number) = value { number } else { nil }
            }, help, onResume, path)
    }

    package static func number<Model: Architecture>(
        _ name: String, _ path: Path<Model, Double>, _ constraint: ValueConstraint, _ help: String,
        onResume: OnResume = .anotherRun
    ) -> Self {
        Self(
            name,
            Form(kind: .number, constraint: constraint, write: Value.number) { value in
                if case .number(let number) = value { number } else { nil }
            }, help, onResume, path)
    }

    package static func boolean<Model: Architecture>(
        _ name: String, _ path: Path<Model, Bool>, _ help: String, onResume: OnResume = .anotherRun
    ) -> Self {
        Self(
            name,
            Form(kind: .boolean, constraint: .any, write: Value.boolean) { value in
                if case .boolean(let flag) = value { flag } else { nil }
            }, help, onResume, path)
    }

    package static func choice<Model: Architecture, Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ name: String, _ path: Path<Model, Choice>, _ help: String, onResume: OnResume = .anotherRun
    ) -> Self {
        Self(
            name,
            Form(kind: .choice(Choice.allCases.map(\.rawValue)), constraint: .any, write: { .text($0.rawValue) }) {
                value in
                if case .text(let text) = value { Choice(rawValue: text) } else { nil }
            }, help, onResume, path)
    }

    /// What a key takes, and how a variable's value becomes one of the key's and back.
    private struct Form<Stored> {
        let kind: Kind
        let constraint: ValueConstraint
        let write: @Sendable (Stored) -> Value
        /// nil for a value of another kind.
        let read: @Sendable (Value) -> Stored?
    }

    private init<Model: Architecture, Stored>(
        _ name: String, _ form: Form<Stored>, _ help: String, _ onResume: OnResume, _ path: Path<Model, Stored>
    ) {
        self.name = name
        kind = form.kind
        constraint = form.constraint
        self.help = help
        self.onResume = onResume
        reading = { form.write(Model.own($0)[keyPath: path]) }
        writing = { model, value in
            guard let stored = form.read(value) else { preconditionFailure("\(name) takes no \(value)") }
            var own = Model.own(model)
            own[keyPath: path] = stored
            model = own
        }
    }
}

extension Architecture {
    /// A model as one of this architecture, which it must be: keys and rules are only used with models of the
    /// architecture that declares them.
    static func own(_ model: any Architecture) -> Self {
        guard let own = model as? Self else {
            preconditionFailure("a key or rule of \(name) is used with a model of \(type(of: model).name)")
        }
        return own
    }

    /// The value of an integer key.
    package func integer(_ key: String) -> Int {
        guard case .integer(let value)? = Self.keys.first(where: { $0.name == key })?.value(in: self) else {
            preconditionFailure("\(key) is an integer key of \(Self.name)")
        }
        return value
    }
}

extension Architecture {
    /// Sets an integer key.
    package mutating func set(_ key: String, to value: Int) {
        guard let key = Self.keys.first(where: { $0.name == key }) else {
            preconditionFailure("\(key) is a key of \(Self.name)")
        }
        var model: any Architecture = self
        key.set(.integer(value), in: &model)
        self = Self.own(model)
    }
}

/// A key that was given and does nothing, because of what others say.
package struct IdleModelKey: Sendable {
    package let key: String
    /// Why the key does nothing in a resolved model; nil: it does something.
    package let reason: @Sendable (any Architecture) -> String?

    package init<Model: Architecture>(_ key: String, _ reason: @escaping @Sendable (Model) -> String?) {
        self.key = key
        self.reason = { reason(Model.own($0)) }
    }
}
