import Foundation

/// Writes the little JSON that reports need, keys in the order given.
package enum JSONText {
    case string(String)
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
        case .number(let value): Self.number(value)
        case .bool(let value): value ? "true" : "false"
        case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .null: "null"
        case .object(let members):
            "{" + members.map { Self.quoted($0.0) + ": " + $0.1.text }.joined(separator: ", ") + "}"
        }
    }

    /// Twelve significant digits, past which sums of times carry only rounding; JSON has no infinities, which become
    /// null.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == value.rounded(), abs(value) < 9e15 { return "\(Int(value))" }
        return String(format: "%.12g", value)
    }

    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
