import Files

/// A setting on the command line.
enum Override: Equatable {
    /// Without a value a boolean is set.
    case key(String, value: String?)
    case fault(String)

    /// `--section.key value` or `--section.key=value`, one after the other; `--section.key` alone sets a boolean.
    static func read(_ words: [String], _ keys: ConfigurationKeys) -> [Override] {
        var overrides: [Override] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--"), word.count > 2 else {
                overrides.append(
                    .fault("\(Shown.found(word)) on the command line: expected --section.key value\(hint(word, keys))"))
                continue
            }
            let option = word.dropFirst(2)
            let name = String(option.prefix { $0 != "=" })
            let key = keys[name]
            let kind = key?.kind
            if let equals = option.firstIndex(of: "=") {
                let text = String(option[option.index(after: equals)...])
                overrides.append(value(name, text, key))
            } else if let next = rest.first, !next.hasPrefix("--") {
                rest.removeFirst()
                overrides.append(value(name, next, key))
            } else if kind != nil, kind != .boolean {
                overrides.append(missing(name, key))
            } else {
                overrides.append(.key(name, value: nil))
            }
        }
        return overrides
    }

    /// Only text can be empty.
    private static func value(_ name: String, _ text: String, _ key: ConfigurationKey?) -> Override {
        switch key?.kind {
        case .integer, .number, .boolean, .choice, .layerSplit:
            text.isEmpty ? missing(name, key) : .key(name, value: text)
        case .text, .path, .paths, nil: .key(name, value: text)
        }
    }

    private static func missing(_ name: String, _ key: ConfigurationKey?) -> Override {
        var text = "\(name) on the command line has no value: expected \(key?.expectation ?? "one")"
        if key?.kind == .text { text += " (--\(name)=... for one that begins with --)" }
        return .fault(text)
    }

    /// For what was meant to be an option.
    private static func hint(_ word: String, _ keys: ConfigurationKeys) -> String {
        let plain = PlainText.meant(by: word)
        let name = plain.drop { $0 == "-" }.prefix { $0 != "=" }
        guard word != plain || word.hasPrefix("-"), keys[String(name)] != nil else { return "" }
        return "; did you mean --\(name)?"
    }
}
