import Files
import JSON

/// A value of a configuration key, as a file or the command line gives it.
package enum ConfigurationValue: Sendable, Equatable {
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case text(String)
    case list([Int])
    case texts([String])
    /// Something that no key takes; the text says what it is.
    case other(String)

    /// What was found, for messages.
    var summary: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .text(let value): "the text \(Shown.found(value))"
        case .list(let values): "the list \(values)"
        case .texts: "the list \(toml)"
        case .other(let what): what
        }
    }

    /// The number that it is, if it is one.
    var asNumber: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value as TOML writes it.
    var toml: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): Self.toml(value)
        case .boolean(let value): "\(value)"
        case .text(let value): Self.toml(value)
        case .list(let values): "\(values)"
        case .texts(let values): "[\(values.map(Self.toml).joined(separator: ", "))]"
        case .other(let what): preconditionFailure("\(what) is no configuration value")
        }
    }

    /// The shortest digits that read back as `value`, with a point or an exponent so that TOML takes it for a float.
    private static func toml(_ value: Double) -> String {
        "\(value)".replacing("e-0", with: "e-").replacing("e+", with: "e")
    }

    /// A basic string of TOML is a string of JSON.
    private static func toml(_ text: String) -> String { JSONText.quoted(text) }
}
