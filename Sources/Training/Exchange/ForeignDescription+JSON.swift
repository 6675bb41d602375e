import JSON
import Model

extension ForeignDescription {
    /// What an object of JSON says. Objects in it are groups.
    init(_ root: JSONNode, place: String) throws {
        guard case .object(let members) = root.value else {
            throw ModelFileError("\(place): expected an object, found \(root.value.summary)")
        }
        self.init(place: place, fields: Self.fields(members, group: ""))
    }

    private static func fields(_ members: [JSONValue.Member], group: String) -> [Field] {
        members.flatMap { member -> [Field] in
            let name = group + member.key
            if case .object(let inner) = member.value { return fields(inner, group: "\(name).") }
            return [Field(name, value(member.value))]
        }
    }

    private static func value(_ value: JSONValue) -> ForeignValue {
        switch value {
        case .null: .null
        case .boolean(let value): .boolean(value)
        case .integer(let value): .integer(value)
        // What no number can hold is no number.
        case .number(let text): Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .text(text)
        case .string(let text): .text(text)
        case .array(let elements): .list(elements.map { Self.value($0.value) })
        case .object(let members): .list(fields(members, group: "").map(\.value))
        }
    }

    /// The description as an object of JSON, a line for each field; none of them may be of a group.
    var json: String {
        "{\n" + fields.map { "  \(JSONText.quoted($0.name)): \(Self.text($0.value))" }.joined(separator: ",\n")
            + "\n}\n"
    }

    /// Numbers in the fewest digits that read back as the same number, and with a point or an exponent: readers that
    /// look at types take 500000 for an integer.
    private static func text(_ value: ForeignValue) -> String {
        switch value {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let text): JSONText.quoted(text)
        case .list(let values): "[" + values.map(text).joined(separator: ", ") + "]"
        }
    }
}
