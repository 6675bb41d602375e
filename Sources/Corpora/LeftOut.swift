import Files

/// What a folder holds beside its text, by kind: so that nothing is left out without a word.
struct LeftOut: Sendable {
    enum Kind: CaseIterable {
        case hidden, special, circle, run, output, empty

        func noun(_ count: Int) -> String {
            let plural = count == 1 ? "" : "s"
            return switch self {
            case .hidden: "hidden file\(plural) or folder\(plural)"
            case .special: "pipe\(plural), socket\(plural) or device\(plural)"
            case .circle: "link\(plural) back to a folder above"
            case .run: "folder\(plural) of gecko runs"
            case .output: "file\(plural) that this run's output goes to"
            case .empty: "empty file\(plural)"
            }
        }
    }

    private var found: [Kind: (count: Int, first: BytePath)] = [:]

    mutating func add(_ kind: Kind, _ path: BytePath) {
        found[kind] = (1 + (found[kind]?.count ?? 0), found[kind]?.first ?? path)
    }

    /// "2 hidden files or folders (text/.git, ...), 1 pipe (text/p)"; nil for nothing.
    var text: String? {
        let parts = Kind.allCases.compactMap { kind -> String? in
            guard let (count, first) = found[kind] else { return nil }
            return "\(count) \(kind.noun(count)) (\(first)\(count > 1 ? ", ..." : ""))"
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
