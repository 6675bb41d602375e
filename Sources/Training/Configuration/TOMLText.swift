import Files
import TOMLKit

/// TOML files, with what can't be seen in them told where they can't be read.
enum TOMLText {
    /// - Throws: `ConfigurationError`
    static func table(_ text: String, file: String) throws -> TOMLTable {
        // The parser takes a C string: it would silently stop there.
        guard !text.contains("\0") else {
            throw ConfigurationError("\(Shown.name(file)) has a NUL character; a configuration is a TOML file")
        }
        do {
            return try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let (line, column) = (error.source.begin.line, error.source.begin.column)
            let what = Shown.escaped(error.description)
            throw ConfigurationError("\(file):\(line):\(column): \(what)\(odd(text, line: Int(line)))")
        }
    }

    /// What is not plain in a line where plain text is expected.
    private static func odd(_ text: String, line: Int) -> String {
        if text.contains("\r"), !text.contains("\n") {
            return ". Its lines end in carriage returns alone (U+000D): let them end in line feeds (tr '\\r' '\\n')"
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return "" }
        let note = Shown.note(on: String(lines[line - 1].prefix { $0 != "#" }))
        return note.isEmpty ? "" : "; look at the line \(Shown.quoted(String(lines[line - 1])))\(note)"
    }
}
