/// What another program's description of a model says of one thing.
package enum ForeignValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ForeignValue])
}

extension ForeignValue {
    /// A key's value as descriptions have it.
    package init(_ value: ModelKey.Value) {
        switch value {
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .boolean(let value): self = .boolean(value)
        case .text(let value): self = .text(value)
        }
    }

    /// As a value of a key of this kind; nil: it is of another one.
    func value(as kind: ModelKey.Kind) -> ModelKey.Value? {
        switch (kind, self) {
        case (.integer, .integer(let value)): .integer(value)
        case (.number, .integer(let value)): .number(Double(value))
        case (.number, .number(let value)): .number(value)
        case (.boolean, .boolean(let value)): .boolean(value)
        case (.choice(let names), .text(let name)) where names.contains(name): .text(name)
        default: nil
        }
    }

    /// Whether both say the same; numbers are compared as numbers, however they are written.
    func means(_ other: ForeignValue) -> Bool {
        switch (self, other) {
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): Double(a) == b
        default: self == other
        }
    }

    /// For messages.
    package var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let text): "\"\(text.prefix(80))\""
        case .list(let values): "[" + values.prefix(8).map(\.summary).joined(separator: ", ") + "]"
        }
    }
}

/// Another program's description of a model: its fields in their order. What stands in a group is called by the group,
/// a dot and its own name ("rope_parameters.rope_theta").
package struct ForeignDescription: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: ForeignValue

        package init(_ name: String, _ value: ForeignValue) {
            self.name = name
            self.value = value
        }

        /// The group that it stands in, or else its own name.
        var group: String { name.prefix { $0 != "." }.description }
    }

    /// Where it stands, for messages.
    package let place: String
    package let fields: [Field]

    package init(place: String, fields: [Field]) {
        self.place = place
        self.fields = fields
    }

    /// What a field says; nil: it is left out, or null, which says nothing.
    package subscript(_ name: String) -> ForeignValue? {
        fields.first { $0.name == name && $0.value != .null }?.value
    }
}

/// A description of a model that isn't one of ours: every problem found.
package struct ForeignFormError: Error, Equatable, CustomStringConvertible {
    package let problems: [String]

    package init(_ problems: [String]) { self.problems = problems }

    package var description: String { problems.joined(separator: "\n") }
}
