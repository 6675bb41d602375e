import Model

extension RunConfiguration {
    /// The configuration as a TOML file that reads back as the same configuration.
    package func toml() -> String {
        ConfigurationKey.Section.allCases.map { section in
            let lines = keys.of(section).map { "\($0.name) = \($0.written(in: self))" }
            return (["[\(section.rawValue)]"] + lines).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// A file with every key at its default, each explained; what `docs/example.toml` holds, and
    /// `docs/example-NAME.toml` for another architecture.
    package static func commentedExample(
        of architecture: String? = nil, architectures: Architectures = .known
    ) -> String {
        var defaults = RunConfiguration(architectures: architectures)
        if let architecture = architecture.flatMap(architectures.named) { defaults.choose(architecture) }
        let head = """
            # Every key of a training run with its default. Copy this file, set data.path, keep what you change, start \
            it:
            #
            #     gecko train run.toml
            #     mpirun -np 2 gecko train run.toml --training.steps 1000
            #
            # A key left out has its default. The command line goes over the file: --section.key value.
            #
            # In paths, ~ and ~user at the beginning are home folders, $NAME and ${NAME} variables of the environment \
            (rank 0's),
            # {name} and the like what the key says. $$, {{ and }} are a $, { and } themselves.

            """
        return head
            + ConfigurationKey.Section.allCases.map { section in
                let keys = defaults.keys.of(section).map { key in
                    let value = key.value(in: defaults)
                    let note = key.example == nil ? "" : " Default: \(value.toml)."
                    let lines = wrap(key.help + note, unit: "(\(key.takes))", width: 118).map { "# \($0)\n" }.joined()
                    return lines + "\(key.name) = \((key.example ?? value).toml)\n"
                }
                return "\n# \(section.summary)\n[\(section.rawValue)]\n\n" + keys.joined(separator: "\n")
            }.joined()
    }

    /// The keys of the command line, for `--help`.
    ///
    /// - Parameter words: of the command line; those of the architecture that they name are shown, or else the first
    ///   one's
    package static func helpText(
        for words: [String] = [], width: Int = 100, architectures: Architectures = .known
    ) -> String {
        let defaults = chosen(by: words, architectures).defaults
        return ConfigurationKey.Section.allCases.map { section in
            let keys = defaults.keys.of(section).map { key in
                let value = key.value(in: defaults).toml
                let text = wrap(key.help, unit: "(\(key.takes); default \(value))", width: width - 6)
                return "  --\(key.qualifiedName) \(key.placeholder)\n" + text.map { "      \($0)\n" }.joined()
            }
            return "[\(section.rawValue)] \(section.summary)\n" + keys.joined()
        }.joined(separator: "\n")
    }

    /// The configuration that a command line which asks for help names, as far as it can be read.
    private static func chosen(by words: [String], _ architectures: Architectures) -> RunConfiguration {
        let asking = ["--help", "-h"]
        // Who doesn't ask wants no file read for it.
        guard words.contains(where: asking.contains) else { return RunConfiguration(architectures: architectures) }
        let words = words.filter { !asking.contains($0) }
        let file = words.first.flatMap { $0.hasPrefix("-") || ConfigurationFile.isStream($0) ? nil : $0 }
        var configuration = RunConfiguration(architectures: architectures)
        if let file, let read = try? load(file: file, overrides: [], architectures: architectures) {
            configuration = read
        }
        if let named = configuration.architecture(overrides: words) { configuration.choose(named) }
        return configuration
    }

    /// `text` broken between words into lines of at most `width` characters; `unit` follows it and stays whole.
    private static func wrap(_ text: String, unit: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") + [unit[...]] {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

extension ConfigurationKey {
    /// What follows the option in help.
    fileprivate var placeholder: String {
        switch kind {
        case .integer: "<integer>"
        case .number: "<number>"
        case .boolean: "<true|false>"
        case .text: "<text>"
        case .choice(let names): "<\(names.joined(separator: "|"))>"
        case .layerSplit: "<balanced|even|n,n,...>"
        case .paths: "<path,path,...>"
        case .path: "<path>"
        }
    }

    /// The type and range of the key, for readers.
    fileprivate var takes: String {
        switch kind {
        case .integer: "integer \(constraint.symbols)"
        case .number: "number \(constraint.symbols)"
        case .boolean: "true or false"
        case .text: "text"
        case .choice(let names): names.map { "\"\($0)\"" }.joined(separator: " or ")
        case .layerSplit: "\"balanced\", \"even\", or a list such as [3, 2, 3]"
        case .paths: "text, or a list of texts"
        case .path: "path"
        }
    }
}
