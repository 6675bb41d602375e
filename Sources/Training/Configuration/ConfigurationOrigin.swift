/// Where a configuration value was given.
package enum ConfigurationOrigin: Sendable, Equatable {
    case file(String, line: Int?)
    case commandLine

    /// Follows the name of a key in a message.
    var phrase: String {
        switch self {
        case .file(let path, let line?): "at \(path):\(line)"
        case .file(let path, nil): "in \(path)"
        case .commandLine: "on the command line"
        }
    }
}

/// A configuration that cannot be used: every problem found, each with what to change.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package let problems: [String]

    init(_ problems: [String]) {
        precondition(!problems.isEmpty)
        self.problems = problems
    }

    init(_ problem: String) { self.init([problem]) }

    package var description: String {
        if problems.count == 1 { return problems[0] }
        return "\(problems.count) problems in the configuration:\n"
            + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}
