/// What `data.path` says: which files and folders make up the text.
package enum CorpusPaths: Sendable, Equatable {
    /// A path, or several separated by commas.
    case text(String)
    /// Each of them as it stands.
    case list([String])

    package var isEmpty: Bool {
        switch self {
        case .text(let text): text.isEmpty
        case .list(let paths): paths.isEmpty
        }
    }

    /// What is wrong with it, whatever there is on disk, completing "data.path ...".
    package var problem: String? {
        if isEmpty { return "is empty: give the text to train on, as in --data.path corpus.txt" }
        guard case .list(let paths) = self, let index = paths.firstIndex(of: "") else { return nil }
        return "has an empty entry, number \(index + 1) of \(paths.count): give a path there, or take it out"
    }

    /// The same with other paths in the place of each of these.
    package func mapPaths(_ transform: (String) throws -> String) rethrows -> CorpusPaths {
        switch self {
        case .text(let text): .text(try transform(text))
        case .list(let paths): .list(try paths.map(transform))
        }
    }
}

extension CorpusPaths: ExpressibleByStringLiteral, CustomStringConvertible {
    package init(stringLiteral text: String) { self = .text(text) }

    package var description: String {
        switch self {
        case .text(let text): text
        case .list(let paths): paths.joined(separator: ", ")
        }
    }
}
