import Files
import Model
import TOMLKit

extension RunConfiguration {
    /// Reads a TOML file, then the overrides of the command line over it. Keys that appear nowhere keep their defaults.
    /// - Parameter overrides: `--section.key value` or `--section.key=value`; `--section.key` alone sets a boolean.
    /// The architecture that they name comes before all other keys of its section.
    ///
    /// - Parameters:
    ///   - base: what keys are that appear nowhere; nil: their defaults
    ///   - architectures: those that there are, where no base has its own
    /// - Throws: `ConfigurationError` with every unknown key, wrong type and value out of range, each with its place.
    package static func load(
        base: RunConfiguration? = nil, file: String?, overrides: [String], architectures: Architectures = .known
    ) throws -> RunConfiguration {
        var configuration = base ?? RunConfiguration(architectures: architectures)
        var problems: [String] = []
        let named = configuration.architecture(overrides: overrides)
        if let named { configuration.choose(named) }
        if let file {
            configuration.file = file
            problems += configuration.apply(
                toml: try ConfigurationFile.text(file), file: file, keepsArchitecture: named != nil)
        }
        problems += configuration.apply(overrides: overrides)
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return configuration
    }

    /// Reads a TOML text; `file` is its name in messages.
    package static func parse(
        toml: String, file: String, architectures: Architectures = .known
    ) throws -> RunConfiguration {
        var configuration = RunConfiguration(architectures: architectures)
        configuration.file = file
        let problems = configuration.apply(toml: toml, file: file)
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return configuration
    }

    /// The architecture that the command line names, if there is one of this name.
    func architecture(overrides: [String]) -> (any Architecture.Type)? {
        let names = Override.read(overrides, keys).compactMap { override -> String? in
            guard case .key(ConfigurationKey.architectureName, let name) = override else { return nil }
            return name
        }
        return names.last.flatMap(architectures.named)
    }

    /// - Parameter keepsArchitecture: whether the command line has chosen it already
    private mutating func apply(toml: String, file: String, keepsArchitecture: Bool = false) -> [String] {
        let root: TOMLTable
        do { root = try TOMLText.table(toml, file: file) } catch { return ["\(error)"] }
        if !keepsArchitecture, let name = root["model"]?.table?["architecture"]?.string,
            let architecture = architectures.named(name)
        {
            choose(architecture)
        }
        let locator = KeyLocator(toml)
        var problems: [(line: Int, text: String)] = []
        for (sectionName, content) in root {
            let line = locator.line(of: [sectionName])
            let origin = ConfigurationOrigin.file(file, line: line)
            guard let section = ConfigurationKey.Section(rawValue: sectionName) else {
                problems.append((line ?? 0, unknown(section: sectionName, content: content, at: origin)))
                continue
            }
            guard let table = content.table else {
                let found = Self.value(content).summary
                problems.append(
                    (
                        line ?? 0,
                        "\(sectionName) \(origin.phrase): expected the section [\(section.rawValue)], found \(found)"
                    ))
                continue
            }
            for (name, content) in table {
                let line = locator.line(of: [sectionName, name])
                let origin = ConfigurationOrigin.file(file, line: line)
                if keepsArchitecture, "\(sectionName).\(name)" == ConfigurationKey.architectureName { continue }
                if let problem = set("\(sectionName).\(name)", to: Self.value(content), from: origin) {
                    problems.append((line ?? 0, problem))
                }
            }
        }
        // The parser gives keys by name; a reader expects problems in the order of the file.
        return problems.sorted { $0.line < $1.line }.map(\.text)
    }

    private func unknown(
        section: String, content: any TOMLValueConvertible, at origin: ConfigurationOrigin
    ) -> String {
        if content.table == nil {
            return "unknown key \(Shown.name(section)) \(origin.phrase): keys belong in a section"
                + SimilarNames.question(SimilarNames.keys(for: section, among: keys.all))
        }
        let sections = ConfigurationKey.Section.allCases.map(\.rawValue)
        let near = SimilarNames.nearest(to: section, among: sections).map { "[\($0)]" }
        return "unknown section [\(Shown.name(section))] \(origin.phrase)"
            + (near.isEmpty ? "; known are \(sections.joined(separator: ", "))" : SimilarNames.question(near))
    }

    private static func value(_ node: any TOMLValueConvertible) -> ConfigurationValue {
        switch node.type {
        case .bool: node.bool.map { .boolean($0) } ?? .other("a boolean")
        case .int: node.int.map { .integer($0) } ?? .other("an integer")
        case .double: node.double.map { .number($0) } ?? .other("a number")
        case .string: node.string.map { .text($0) } ?? .other("text")
        case .array:
            list(node.array.map { Array($0) } ?? [])
        case .table: .other("a table")
        case .date, .time, .dateTime: .other("a date or time")
        }
    }

    private static func list(_ elements: [any TOMLValueConvertible]) -> ConfigurationValue {
        let numbers = elements.compactMap(\.int)
        if numbers.count == elements.count { return .list(numbers) }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count
            ? .texts(texts) : .other("a list that holds more than integers, or more than texts")
    }

    /// Sets one key; returns the problem, if there is one.
    private mutating func set(
        _ name: String, to value: ConfigurationValue, from origin: ConfigurationOrigin
    ) -> String? {
        guard let key = keys[name] else {
            return
                "unknown key \(Shown.name(name)) \(origin.phrase)"
                + SimilarNames.question(SimilarNames.keys(for: name, among: keys.all))
        }
        if let problem = key.set(value, in: &self) { return "\(name) \(origin.phrase): \(problem)" }
        origins[name] = origin
        return nil
    }

    private mutating func apply(overrides: [String]) -> [String] {
        var problems: [String] = []
        for override in Override.read(overrides, keys) {
            switch override {
            case .fault(let problem): problems.append(problem)
            case .key(let name, let text):
                let key = keys[name]
                let value = text.map { key?.value(fromText: $0) ?? .text($0) } ?? .boolean(true)
                let before = origins[name] == .commandLine ? key?.value(in: self) : nil
                if let problem = set(name, to: value, from: .commandLine) {
                    problems.append(problem)
                } else if let key, let before, before != key.value(in: self) {
                    remarks.append(
                        """
                        \(name) is given more than once on the command line: the last one counts, \
                        \(key.value(in: self).toml)
                        """
                    )
                }
            }
        }
        return problems
    }
}
