import Foundation
import TOMLKit

extension RunConfiguration {
    /// Reads a TOML file, then the overrides of the command line over it. Keys that appear nowhere keep their defaults.
    /// - Parameter overrides: `--section.key value` or `--section.key=value`; `--section.key` alone sets a boolean.
    /// - Parameter base: what keys are that appear nowhere; nil: their defaults
    /// - Throws: `ConfigurationError` with every unknown key, wrong type and value out of range, each with its place.
    package static func load(
        base: RunConfiguration? = nil, file: String?, overrides: [String]
    ) throws -> RunConfiguration {
        var configuration = base ?? RunConfiguration()
        var problems: [String] = []
        if let file {
            configuration.file = file
            problems += configuration.apply(toml: try contents(of: file), file: file)
        }
        problems += configuration.apply(overrides: overrides)
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return configuration
    }

    /// Reads a TOML text; `file` is its name in messages.
    package static func parse(toml: String, file: String) throws -> RunConfiguration {
        var configuration = RunConfiguration()
        configuration.file = file
        let problems = configuration.apply(toml: toml, file: file)
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return configuration
    }

    private static func contents(of file: String) throws -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
            let reason =
                cause.map { String(cString: strerror(Int32(($0 as NSError).code))) }
                ?? error.localizedDescription
            throw ConfigurationError("cannot read the configuration file \(file): \(reason)")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError("\(file) is not UTF-8 text; a configuration is a TOML file")
        }
        return text
    }

    private mutating func apply(toml: String, file: String) -> [String] {
        // The parser takes a C string: it would silently stop there.
        guard !toml.contains("\0") else { return ["\(file) has a NUL character; a configuration is a TOML file"] }
        let root: TOMLTable
        do {
            root = try TOMLTable(string: toml)
        } catch let error as TOMLParseError {
            return ["\(file):\(error.source.begin.line):\(error.source.begin.column): \(error.description)"]
        } catch {
            return ["\(file): \(error)"]
        }
        let locator = KeyLocator(toml)
        var problems: [(line: Int, text: String)] = []
        for (sectionName, content) in root {
            let line = locator.line(of: [sectionName])
            let origin = ConfigurationOrigin.file(file, line: line)
            guard let section = ConfigurationKey.Section(rawValue: sectionName) else {
                problems.append((line ?? 0, Self.unknown(section: sectionName, content: content, at: origin)))
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
                if let problem = set("\(sectionName).\(name)", to: Self.value(content), from: origin) {
                    problems.append((line ?? 0, problem))
                }
            }
        }
        // The parser gives keys by name; a reader expects problems in the order of the file.
        return problems.sorted { $0.line < $1.line }.map(\.text)
    }

    private static func unknown(
        section: String, content: any TOMLValueConvertible, at origin: ConfigurationOrigin
    ) -> String {
        if content.table == nil {
            return "unknown key \(section) \(origin.phrase): keys belong in a section"
                + SimilarNames.question(SimilarNames.keys(for: section))
        }
        let sections = ConfigurationKey.Section.allCases.map(\.rawValue)
        let near = SimilarNames.nearest(to: section, among: sections).map { "[\($0)]" }
        return "unknown section [\(section)] \(origin.phrase)"
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
        guard let key = ConfigurationKey.byName[name] else {
            return "unknown key \(name) \(origin.phrase)\(SimilarNames.question(SimilarNames.keys(for: name)))"
        }
        guard key.set(value, in: &self) else {
            return "\(name) \(origin.phrase): expected \(key.expectation(for: value)), found \(value.summary)"
        }
        origins[name] = origin
        return nil
    }

    private mutating func apply(overrides: [String]) -> [String] {
        var problems: [String] = []
        var rest = overrides[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                problems.append("\"\(argument)\" on the command line: expected --section.key value")
                continue
            }
            let option = argument.dropFirst(2)
            let name = String(option.prefix { $0 != "=" })
            let key = ConfigurationKey.byName[name]
            let value: ConfigurationValue
            if let equals = option.firstIndex(of: "=") {
                let text = String(option[option.index(after: equals)...])
                value = key?.value(fromText: text) ?? .text(text)
            } else if let next = rest.first, !next.hasPrefix("--") {
                value = key?.value(fromText: next) ?? .text(next)
                rest.removeFirst()
            } else if let key, key.kind != .boolean {
                problems.append("\(name) on the command line has no value: expected \(key.expectation)")
                continue
            } else {
                value = .boolean(true)
            }
            if let problem = set(name, to: value, from: .commandLine) { problems.append(problem) }
        }
        return problems
    }
}
