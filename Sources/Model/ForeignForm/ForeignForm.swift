/// How another program keeps the models of an architecture: what its description calls the keys of `[model]`, what it
/// must say besides, and its tensors' names and layouts. A value of names and numbers: where they stand in files, who
/// reads and writes them knows.
package struct ForeignForm: Sendable {
    /// A field that says what a key of `[model]` says.
    package struct KeyField: Sendable {
        /// What a field says that is left out.
        package enum Absent: Sendable {
            case refused
            case value(ModelKey.Value)
            /// The same as this other field.
            case sameAs(String)
        }

        /// The field's name; the first one is written, any is read.
        package let names: [String]
        package let key: String
        package let absent: Absent

        package init(_ names: String..., key: String, absent: Absent = .refused) {
            self.names = names
            self.key = key
            self.absent = absent
        }
    }

    /// A field that must say one thing, if anything, because all our models are like that.
    package struct FixedField: Sendable {
        package let name: String
        let isRequired, isWritten: Bool
        let expected: @Sendable (any Architecture) -> ForeignValue

        /// - Parameters:
        ///   - isRequired: whether it may not be left out
        ///   - isWritten: whether our descriptions say it, too
        package init(_ name: String, _ value: ForeignValue, isRequired: Bool = false, isWritten: Bool = true) {
            self.name = name
            self.isRequired = isRequired
            self.isWritten = isWritten
            expected = { _ in value }
        }

        /// For a value that follows from the model's keys.
        package init<Model: Architecture>(_ name: String, _ value: @escaping @Sendable (Model) -> ForeignValue) {
            self.name = name
            (isRequired, isWritten) = (false, true)
            expected = { value(Model.own($0)) }
        }
    }

    /// What it is called by who asks for it.
    package let name: String
    package let architecture: any Architecture.Type
    /// The field by which a description is known to be of this form, and what it says there.
    package let mark: FixedField
    let keys: [KeyField]
    let fixed: [FixedField]
    /// Fields, or groups of fields, that say nothing about what a model computes.
    let silent: Set<String>
    /// Groups of which every field must be known.
    let closed: Set<String>
    /// Fields that are written beside those of the keys and the fixed ones.
    private let further: @Sendable (any Architecture, _ sequence: Int) -> [ForeignDescription.Field]
    private let rename: @Sendable (any Architecture, ParameterSpec) -> ForeignTensor
    private let copies: @Sendable (any Architecture) -> [String: String]
    private let needless: @Sendable (String) -> Bool
}

extension ForeignForm {
    /// What a form says about descriptions.
    package struct Fields: Sendable {
        package let mark: FixedField
        package let keys: [KeyField]
        package let fixed: [FixedField]
        package let silent: Set<String>
        package let closed: Set<String>

        package init(
            mark: FixedField, keys: [KeyField], fixed: [FixedField], silent: Set<String>, closed: Set<String>
        ) {
            self.mark = mark
            self.keys = keys
            self.fixed = fixed
            self.silent = silent
            self.closed = closed
        }
    }

    /// What a form says about tensors.
    package struct Tensors<Model: Architecture>: Sendable {
        /// How a tensor of ours is kept.
        let rename: @Sendable (Model, ParameterSpec) -> ForeignTensor
        /// Foreign tensors that may be there and then hold the same as those of ours which are named: [theirs: ours].
        let copies: @Sendable (Model) -> [String: String]
        /// Whether a tensor of this name is worked out anew from the description by who reads it.
        let needless: @Sendable (String) -> Bool

        package init(
            rename: @escaping @Sendable (Model, ParameterSpec) -> ForeignTensor,
            copies: @escaping @Sendable (Model) -> [String: String],
            needless: @escaping @Sendable (String) -> Bool
        ) {
            self.rename = rename
            self.copies = copies
            self.needless = needless
        }
    }

    /// - Parameter further: fields that are written beside those of the keys and the fixed ones, of a model that was
    ///   trained on sequences of so many tokens
    package init<Model: Architecture>(
        _ name: String, fields: Fields, tensors: Tensors<Model>,
        further: @escaping @Sendable (Model, _ sequence: Int) -> [ForeignDescription.Field]
    ) {
        self.name = name
        architecture = Model.self
        (mark, keys, fixed) = (fields.mark, fields.keys, fields.fixed)
        (silent, closed) = (fields.silent, fields.closed)
        self.further = { further(Model.own($0), $1) }
        rename = { tensors.rename(Model.own($0), $1) }
        copies = { tensors.copies(Model.own($0)) }
        needless = tensors.needless
    }

    /// The tensors of a model whose keys are settled, in the model's order; copies of others are none.
    package func tensors(of model: any Architecture) -> [ForeignTensor] {
        model.parts.flatMap { model.describe($0).parameters }.filter { $0.copyOf == nil }.map { rename(model, $0) }
    }

    /// The tensor of ours that a foreign one repeats, where the model ties them.
    package func original(of foreign: String, in model: any Architecture) -> String? { copies(model)[foreign] }

    package func isNeedless(_ foreign: String) -> Bool { needless(foreign) }

    /// The names of the keys that descriptions speak of.
    package var keyNames: [String] { keys.map(\.key) }

    /// What a description calls a key.
    package func field(for key: String) -> String? { keys.first { $0.key == key }?.names.first }

    /// A model whose keys are settled, as descriptions of this form have it.
    package func description(
        of model: any Architecture, sequence: Int, place: String
    ) -> ForeignDescription {
        let own = keys.map { field in
            ForeignDescription.Field(field.names[0], ForeignValue(Self.key(field.key, of: model).value(in: model)))
        }
        let fixed = ([mark] + fixed).filter(\.isWritten).map {
            ForeignDescription.Field($0.name, $0.expected(model))
        }
        return ForeignDescription(place: place, fields: fixed + own + further(model, sequence))
    }

    static func key(_ name: String, of model: any Architecture) -> ModelKey {
        guard let key = type(of: model).keys.first(where: { $0.name == name }) else {
            preconditionFailure("\(name) is a key of \(type(of: model).name)")
        }
        return key
    }
}

extension ForeignForm.FixedField {
    /// What the field says of a model.
    package func value(for model: any Architecture) -> ForeignValue { expected(model) }
}
