/// Text that was found somewhere, as a message shows it: what can't be seen in it is written as its number, what only
/// looks like a plain character is named.
package enum Shown {
    /// Characters of a text that a message shows; a longer one is cut.
    private static let longest = 200
    /// Odd characters that are named, at most.
    private static let mostNamed = 3

    /// Between quotes, nothing left invisible: `"1e-3\r"`.
    package static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(longest)
        let out = shown.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            default: escape(scalar) ?? String(scalar)
            }
        }.joined()
        let rest = text.unicodeScalars.count - shown.count
        return "\"\(out)\"" + (rest > 0 ? "... (and \(rest) more characters)" : "")
    }

    /// Quoted, and with the names of all characters that are not plain, where only plain ones are expected: `"5–3"
    /// (with U+2013 EN DASH)`.
    package static func found(_ text: String) -> String { quoted(text) + note(on: text) }

    /// A name of a key, a section or an option: as it is if it is plain, otherwise as `found` gives it.
    package static func name(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.isASCII && escape($0) == nil && $0 != " " }
        return isPlain && text.count <= longest ? text : found(text)
    }

    /// Without quotes, for names of files and for whole messages: only what is invisible is written as its number.
    package static func escaped(_ text: String, keeping kept: Set<Unicode.Scalar> = []) -> String {
        guard text.unicodeScalars.contains(where: { escape($0) != nil }) else { return text }
        return text.unicodeScalars.map { kept.contains($0) ? String($0) : escape($0) ?? String($0) }.joined()
    }

    /// " (with U+00A0 NO-BREAK SPACE)", or nothing for a plain text.
    package static func note(on text: String) -> String {
        var odd: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars where isOdd(scalar) && !odd.contains(scalar) { odd.append(scalar) }
        guard !odd.isEmpty else { return "" }
        let named = odd.prefix(mostNamed).map(describe).joined(separator: ", ")
        return " (with \(named)\(odd.count > mostNamed ? " and others" : ""))"
    }

    /// `U+00A0 NO-BREAK SPACE`
    package static func describe(_ scalar: Unicode.Scalar) -> String {
        let hex = String(scalar.value, radix: 16, uppercase: true)
        let number = "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        let properties = scalar.properties
        guard let name = properties.name ?? properties.nameAlias ?? controls[scalar.value] else { return number }
        return "\(number) \(name)"
    }

    /// Names that people know; Unicode has none for control characters.
    private static let controls: [UInt32: String] = [
        0: "NUL", 7: "BELL", 8: "BACKSPACE", 9: "TAB", 10: "LINE FEED", 13: "CARRIAGE RETURN", 27: "ESCAPE",
        127: "DELETE",
    ]

    private static func isOdd(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII || (escape(scalar) != nil && !"\n\r\t".unicodeScalars.contains(scalar))
    }

    /// What stands for a character that can't be seen; nil for all others.
    private static func escape(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\0": return "\\0"
        case " "..."~": return nil
        default: return isInvisible(scalar) ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : nil
        }
    }

    /// Whether a reader sees nothing, or a gap like any other.
    package static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 32 || scalar.value == 127 }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned:
            return true
        default: return scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0xFFFD
        }
    }
}
