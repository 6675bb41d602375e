import Foundation

/// A JSON text to be written, keys in the order given.
package enum JSONText {
    case string(String)
    /// With twelve significant digits, past which sums of times carry only rounding.
    case number(Double)
    case bool(Bool)
    case array([JSONText])
    case object([(String, JSONText)])
    case null

    package static func numbers(_ values: [Double]) -> JSONText { .array(values.map { .number($0) }) }
    package static func strings(_ values: [String]) -> JSONText { .array(values.map { .string($0) }) }

    package var text: String {
        switch self {
        case .string(let value): Self.quoted(value)
        case .number(let value): Self.rounded(value)
        case .bool(let value): value ? "true" : "false"
        case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .null: "null"
        case .object(let members):
            "{" + members.map { Self.quoted($0.0) + ": " + $0.1.text }.joined(separator: ", ") + "}"
        }
    }

    /// JSON has no infinities, which become null.
    private static func rounded(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == value.rounded(), abs(value) < 9e15 { return "\(Int(value))" }
        return String(format: "%.12g", value)
    }

    /// In the fewest digits that read back as the same number; `null` for what JSON has no number for.
    package static func exact(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return "\(value)"
    }

    /// A text as JSON has it, with its quotes.
    /// - Parameter ascii: whether all that isn't plain ASCII is written as its number, for messages: it may be
    ///   invisible
    package static func quoted(_ text: String, ascii: Bool = false) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}": out += escape(UInt16(scalar.value))
            case _ where ascii && !scalar.isASCII:
                out += String(scalar).utf16.map(escape).joined()
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let hex = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    }
}
