/// A JSON value and where it stands in its text.
package struct JSONNode: Sendable {
    package let value: JSONValue
    /// Its bytes in the text.
    package let range: Range<Int>

    package init(_ value: JSONValue, range: Range<Int>) {
        self.value = value
        self.range = range
    }

    /// The member of an object with this key.
    package subscript(_ key: String) -> JSONNode? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.node
    }

    package var string: String? {
        if case .string(let text) = value { text } else { nil }
    }

    package var integer: Int? {
        if case .integer(let number) = value { number } else { nil }
    }

    package var elements: [JSONNode]? {
        if case .array(let nodes) = value { nodes } else { nil }
    }

    /// Any finite number.
    package var number: Double? {
        switch value {
        case .integer(let number): return Double(number)
        case .number(let text):
            guard let number = Double(text), number.isFinite else { return nil }
            return number
        default: return nil
        }
    }
}

extension JSONNode: Equatable {
    /// Values are equal wherever they stand.
    package static func == (a: JSONNode, b: JSONNode) -> Bool { a.value == b.value }
}

/// What JSON can say, objects' members in the order of the text.
package enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int)
    /// Any other number, as it was written.
    case number(String)
    case string(String)
    case array([JSONNode])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package let key: String
        package let node: JSONNode

        package init(key: String, node: JSONNode) {
            self.key = key
            self.node = node
        }

        package var value: JSONValue { node.value }
    }

    /// What the value is, for messages ("the string "a"", "the number 1.5").
    package var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "the number \(value)"
        case .number(let text): "the number \(text.prefix(40))"
        case .string(let text): "the string \(JSONText.quoted(String(text.prefix(40)), ascii: true))"
        case .array(let elements): "an array of \(elements.count)"
        case .object(let members): "an object with \(members.count) keys"
        }
    }
}

/// A fault in a JSON text, at a byte offset from its beginning.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let offset: Int
    package let reason: String

    package init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "byte \(offset): \(reason)" }
}
