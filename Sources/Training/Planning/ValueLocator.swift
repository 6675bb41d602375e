/// Where the values of a TOML text stand and how they are written there, which the parser does not tell. The text must
/// already have parsed, and the sections and keys that are asked for have plain names.
struct ValueLocator {
    private var values: [[String]: (line: Int, column: Int, text: String)] = [:]

    init(_ text: String) {
        var section: [String] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.drop { $0.isWhitespace }
            let column = line.count - content.count + 1
            if content.first == "[" {
                section = Self.path(content.dropFirst().prefix { $0 != "]" })
                values[section] = (number + 1, column, String(content))
            } else if content.first != "#", let equals = content.firstIndex(of: "=") {
                let value = content[content.index(after: equals)...].drop { $0.isWhitespace }
                values[section + Self.path(content[..<equals])] = (
                    number + 1, line.count - value.count + 1, Self.withoutComment(value)
                )
            }
        }
    }

    /// The file, with line and column if they are known.
    func prefix(of path: [String], file: String) -> String {
        values[path].map { "\(file):\($0.line):\($0.column)" } ?? file
    }

    func text(of path: [String]) -> String? { values[path]?.text }

    private static func path(_ text: Substring) -> [String] {
        text.split(separator: ".").map { part in
            String(part.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" })
        }
    }

    private static func withoutComment(_ text: Substring) -> String {
        var quote: Character?
        var end = text.startIndex
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "#" {
                break
            } else if character == "\"" || character == "'" {
                quote = character
            }
            if !character.isWhitespace { end = text.index(after: index) }
        }
        return String(text[..<end])
    }
}
