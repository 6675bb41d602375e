import Files

/// How the text of a key that names files is read.
struct PathForm: Sendable, Equatable {
    /// What may stand between braces, to be filled in later.
    var placeholders: [String] = []
    /// Several paths, separated by commas.
    var isList = false

    /// One path without placeholders.
    static let plain = PathForm()
    static let list = PathForm(isList: true)
    static func with(_ placeholders: String...) -> PathForm { PathForm(placeholders: placeholders) }

    /// The text as the configuration holds it: without placeholders the finished path, with them what `PathText.fill`
    /// takes.
    /// - Throws: `PathProblem`
    func read(_ text: String) throws -> String {
        try each(text) {
            let path = try PathText.read($0, placeholders: placeholders)
            return placeholders.isEmpty ? PathText.fill(path) : path
        }
    }

    /// What `read` gave, as a text that it reads to the same again, in whatever environment.
    func written(_ text: String) -> String {
        each(text) { PathText.written(placeholders.isEmpty ? PathText.literal($0) : $0) }
    }

    private func each(_ text: String, _ change: (String) throws -> String) rethrows -> String {
        guard isList else { return try change(text) }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { try change(String($0)) }
            .joined(separator: ",")
    }
}
