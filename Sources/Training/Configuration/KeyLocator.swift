/// Lines of the keys of a TOML text, which the TOML parser does not tell. The text must already have parsed.
struct KeyLocator {
    /// Line, from 1, at which each dotted path first appears.
    private var lines: [[String]: Int] = [:]

    private let text: [Character]
    private var position = 0
    private var line = 1

    init(_ text: String) {
        self.text = Array(text)
        var table: [String] = []
        while let character = peek() {
            if character.isWhitespace || character == "," {
                advance()
            } else if character == "#" {
                skipComment()
            } else if character == "[" {
                while peek() == "[" { advance() }
                let start = line
                table = key()
                record(table, start)
                while peek() == "]" { advance() }
            } else {
                let start = line
                let path = table + key()
                record(path, start)
                if peek() == "=" { advance() }
                skipValue()
            }
        }
    }

    /// The line of `path`, or of the longest part of it that appears by itself (as for keys of an inline table).
    func line(of path: [String]) -> Int? {
        var path = path
        while !path.isEmpty {
            if let line = lines[path] { return line }
            path.removeLast()
        }
        return nil
    }

    private mutating func record(_ path: [String], _ line: Int) {
        for count in 1...max(1, path.count) where lines[Array(path.prefix(count))] == nil {
            lines[Array(path.prefix(count))] = line
        }
    }

    private func peek(_ ahead: Int = 0) -> Character? {
        position + ahead < text.count ? text[position + ahead] : nil
    }

    private mutating func advance() {
        if text[position].isNewline { line += 1 }
        position += 1
    }

    private mutating func skipComment() {
        while let character = peek(), !character.isNewline { advance() }
    }

    /// A dotted key, up to `=` or `]`.
    private mutating func key() -> [String] {
        var parts: [String] = []
        var part = ""
        while let character = peek(), character != "=", character != "]", !character.isNewline {
            if character == "\"" || character == "'" {
                part += quoted()
            } else {
                if character == "." {
                    parts.append(part)
                    part = ""
                } else if !character.isWhitespace {
                    part.append(character)
                }
                advance()
            }
        }
        return parts + [part]
    }

    /// The raw content of a string of any of TOML's four kinds.
    private mutating func quoted() -> String {
        guard let quote = peek() else { return "" }
        let triple = peek(1) == quote && peek(2) == quote
        for _ in 0..<(triple ? 3 : 1) { advance() }
        var content = ""
        while let character = peek() {
            if character == quote, !triple || (peek(1) == quote && peek(2) == quote) {
                // A triple-quoted string may end in up to two quotes of its own.
                while triple, peek(3) == quote { advance() }
                for _ in 0..<(triple ? 3 : 1) { advance() }
                break
            }
            if character == "\\", quote == "\"" { advance() }
            if let character = peek() {
                content.append(character)
                advance()
            }
        }
        return content
    }

    /// Skips to the end of a value: the first end of line outside strings and brackets.
    private mutating func skipValue() {
        var depth = 0
        while let character = peek() {
            switch character {
            case "\"", "'":
                _ = quoted()
                continue
            case "#":
                skipComment()
                continue
            case "[", "{": depth += 1
            case "]", "}": depth -= 1
            default: if character.isNewline, depth == 0 { return }
            }
            advance()
        }
    }
}
