/// A JSON document with its objects' keys in the order of the file.
package enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int)
    /// Any other number, as it was written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package let key: String
        package let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// What the value is, for messages ("a string", "the number 1.5").
    package var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "the number \(value)"
        case .number(let text): "the number \(text)"
        case .string(let text): "the string \"\(text.prefix(40))\""
        case .array(let elements): "an array of \(elements.count)"
        case .object(let members): "an object with \(members.count) keys"
        }
    }
}

/// A fault in a JSON text, at a byte offset from its beginning.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let offset: Int
    package let reason: String

    package var description: String { "byte \(offset): \(reason)" }
}
