/// Reads a path from its beginning.
struct PathReader {
    private let text: String
    private let environment: PathEnvironment
    private var rest: Substring

    init(_ text: String, _ environment: PathEnvironment) {
        self.text = text
        self.environment = environment
        rest = text[...]
    }

    mutating func read(_ placeholders: [String]?) throws -> String {
        /// What comes from outside has no placeholders.
        func plain(_ value: String) -> String { placeholders == nil ? value : PathText.literal(value) }
        var out = plain(try home())
        while let character = rest.first {
            switch character {
            case "$": out += plain(try dollar())
            case "{" where placeholders != nil: out += try brace(placeholders ?? [])
            case "}" where placeholders != nil:
                rest = rest.dropFirst(rest.hasPrefix("}}") ? 2 : 1)
                out += "}}"
            default:
                out.append(character)
                rest = rest.dropFirst()
            }
        }
        return out
    }

    /// `~` or `~user` at the beginning.
    private mutating func home() throws -> String {
        guard rest.first == "~" else { return "" }
        let user = rest.dropFirst().prefix { $0 != "/" }
        guard let home = environment.home(user.isEmpty ? nil : String(user)) else {
            let problem =
                user.isEmpty
                ? "nothing says what your home folder is (HOME)" : "there is no user \(Shown.name(String(user)))"
            throw PathProblem("~\(user) in \(Shown.quoted(text)): \(problem). Write ./~ for a name that begins with ~")
        }
        rest = rest[user.endIndex...]
        return home
    }

    /// `$$`, `$NAME` or `${NAME}`.
    private mutating func dollar() throws -> String {
        rest = rest.dropFirst()
        if rest.first == "$" {
            rest = rest.dropFirst()
            return "$"
        }
        let isBraced = rest.first == "{"
        let name = rest.dropFirst(isBraced ? 1 : 0).prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let after = rest[name.endIndex...]
        guard let first = name.first, !first.isNumber, !isBraced || after.first == "}" else {
            throw PathProblem(
                "\(Shown.quoted(text)): after $ comes a name, as in $HOME or ${HOME}; write $$ for a $ itself")
        }
        guard let value = environment.variable(String(name)), !value.isEmpty else {
            let state = environment.variable(String(name)) == nil ? "not set" : "empty"
            throw PathProblem(
                """
                $\(name) in \(Shown.quoted(text)) is \(state) here: set and export it, or write the path out ($$ \
                is a $ itself)
                """
            )
        }
        rest = isBraced ? after.dropFirst() : after
        return value
    }

    /// `{{` or a placeholder, both left as they are.
    private mutating func brace(_ placeholders: [String]) throws -> String {
        if rest.hasPrefix("{{") {
            rest = rest.dropFirst(2)
            return "{{"
        }
        let known = placeholders.map { "{\($0)}" }
        guard let end = rest.firstIndex(of: "}") else {
            throw PathProblem(
                "\(Shown.quoted(text)): a { without its }. " + Self.advice(known))
        }
        let found = String(rest[...end])
        guard known.contains(found) else {
            let none =
                known.isEmpty
                ? "no placeholder of this key, which has none" : "none of \(known.joined(separator: ", "))"
            throw PathProblem("\(Shown.name(found)) in \(Shown.quoted(text)) is \(none). " + Self.advice([]))
        }
        rest = rest[rest.index(after: end)...]
        return found
    }

    private static func advice(_ known: [String]) -> String {
        (known.isEmpty ? "" : "Placeholders are \(known.joined(separator: ", ")). ") + "Write {{ for a { itself"
    }
}
