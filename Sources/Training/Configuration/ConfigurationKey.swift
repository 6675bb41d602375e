import Corpora
import Files
import Model

/// A key of the configuration: its name, what it takes and what it means. `ConfigurationKeys.all` is the one table that
/// parsing, checks, help, the example file and the resolved configuration are made from.
package struct ConfigurationKey: Sendable {
    package enum Section: String, Sendable, CaseIterable {
        case model, data, training, optimizer, pipeline, machine, checkpoint, run

        var summary: String {
            switch self {
            case .model: "the architecture"
            case .data: "the corpus and how it is cut"
            case .training: "how long, how much at once, and what is reported"
            case .optimizer: "AdamW and its learning rate"
            case .pipeline: "how the work is laid over ranks"
            case .machine: "what a rank uses of its node"
            case .checkpoint: "what is saved on the way, to go on from"
            case .run: "where the results go"
            }
        }
    }

    enum Kind: Sendable, Equatable {
        case integer, number, boolean, text
        case choice([String])
        case layerSplit
        /// Several paths, each of which `PathText` reads.
        case paths
        /// Text that `PathText` reads.
        case path(PathForm)
    }

    let section: Section
    let name: String
    let kind: Kind
    var constraint = ValueConstraint.any
    let help: String
    /// What becomes of a run that goes on with another value.
    let onResume: OnResume
    /// What the example file shows where the default says nothing.
    private(set) var example: ConfigurationValue?
    private let variable: Variable

    /// The variable that holds the key's value.
    struct Variable: Sendable {
        let read: @Sendable (RunConfiguration) -> ConfigurationValue
        /// Called only with values that `accept` returned.
        let write: @Sendable (inout RunConfiguration, ConfigurationValue) -> Void
    }

    init(
        section: Section, name: String, kind: Kind, onResume: OnResume, help: String, variable: Variable
    ) {
        self.section = section
        self.name = name
        self.kind = kind
        self.onResume = onResume
        self.help = help
        self.variable = variable
    }

    /// The same key with a range.
    private func within(_ constraint: ValueConstraint) -> ConfigurationKey {
        var key = self
        key.constraint = constraint
        return key
    }

    /// The same key with an example.
    private func shown(as example: String?) -> ConfigurationKey {
        var key = self
        key.example = example.map { .text($0) }
        return key
    }

    /// `section.name`
    package var qualifiedName: String { "\(section.rawValue).\(name)" }

    package func value(in configuration: RunConfiguration) -> ConfigurationValue { variable.read(configuration) }

    /// What the key takes, completing "expected ...".
    var expectation: String {
        let noun =
            switch kind {
            case .integer: "an integer"
            case .number: "a finite number"
            case .boolean: "true or false"
            case .text: "text"
            case .choice(let names): "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
            case .layerSplit: "\"balanced\", \"even\" or a list of layers per stage such as \"3,2,3\""
            case .paths: "a path, several separated by commas, or a list of paths such as [\"a.txt\", \"b\"]"
            case .path: "text"
            }
        return constraint.phrase.isEmpty ? noun : "\(noun) \(constraint.phrase)"
    }

    /// The expectation that `value` failed: limits far from what anyone uses go without saying until they are passed.
    private func expectation(for value: ConfigurationValue) -> String {
        guard let number = value.asNumber, number.isFinite, let passed = constraint.passedLimit(number) else {
            return expectation
        }
        return "\(expectation) and \(passed)"
    }

    /// Sets the key.
    /// - Returns: what is wrong with a value of another type, out of range or unreadable; nil when it is set
    func set(_ value: ConfigurationValue, in configuration: inout RunConfiguration) -> String? {
        do {
            guard let accepted = try accept(value) else {
                let meant = likely(value).map { "; did you mean \($0)?" } ?? ""
                return "expected \(expectation(for: value)), found \(value.summary)\(meant)"
            }
            variable.write(&configuration, accepted)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// What the key holds, as the resolved file writes it: paths are written so that they read back whatever they hold.
    func written(in configuration: RunConfiguration) -> String {
        let value = value(in: configuration)
        let written: ConfigurationValue =
            switch (kind, value) {
            case (.path(let form), .text(let text)): .text(form.written(text))
            case (.paths, .text(let text)): .text(PathForm.list.written(text))
            case (.paths, .texts(let paths)): .texts(paths.map(PathForm.plain.written))
            default: value
            }
        return written.toml
    }

    /// `text` of the command line as a value; a text that is not of this key's kind is kept, to be refused by `set`.
    func value(fromText text: String) -> ConfigurationValue {
        switch kind {
        case .integer: Int(text).map { .integer($0) } ?? .text(text)
        case .number: NumberText.decimal(text).map { .number($0) } ?? .text(text)
        case .boolean: Bool(text).map { .boolean($0) } ?? .text(text)
        case .text, .choice, .layerSplit, .paths, .path: .text(text)
        }
    }

    func accept(_ value: ConfigurationValue) throws -> ConfigurationValue? {
        switch (kind, value) {
        case (.integer, .integer(let number)): constraint.takes(Double(number)) ? value : nil
        case (.number, .integer(let number)): constraint.takes(Double(number)) ? .number(Double(number)) : nil
        case (.number, .number(let number)): number.isFinite && constraint.takes(number) ? value : nil
        case (.boolean, .boolean), (.text, .text): value
        case (.path(let form), .text(let text)): .text(try form.read(text))
        case (.choice(let names), .text(let name)): names.contains(name) ? value : nil
        case (.layerSplit, .text(let text)): LayerSplit(text) == nil ? nil : value
        case (.layerSplit, .list): value
        case (.paths, .text(let text)): .text(try PathForm.list.read(text))
        case (.paths, .texts(let paths)): .texts(try paths.map(PathForm.plain.read))
        default: nil
        }
    }
}

extension ConfigurationKey {
    typealias Path<Value> = any WritableKeyPath<RunConfiguration, Value> & Sendable

    static func integer(
        _ section: Section, _ name: String, _ path: Path<Int>, _ onResume: OnResume, _ constraint: ValueConstraint,
        _ help: String
    ) -> Self {
        Self(
            section: section, name: name, kind: .integer, onResume: onResume, help: help,
            variable: Variable {
                .integer($0[keyPath: path])
            } write: {
                guard case .integer(let value) = $1 else { preconditionFailure("\(name): not an integer") }
                $0[keyPath: path] = value
            }
        ).within(constraint)
    }

    static func number(
        _ section: Section, _ name: String, _ path: Path<Double>, _ onResume: OnResume, _ constraint: ValueConstraint,
        _ help: String
    ) -> Self {
        Self(
            section: section, name: name, kind: .number, onResume: onResume, help: help,
            variable: Variable {
                .number($0[keyPath: path])
            } write: {
                guard case .number(let value) = $1 else { preconditionFailure("\(name): not a number") }
                $0[keyPath: path] = value
            }
        ).within(constraint)
    }

    static func boolean(_ section: Section, _ name: String, _ path: Path<Bool>, _ onResume: OnResume, _ help: String)
        -> Self
    {
        Self(
            section: section, name: name, kind: .boolean, onResume: onResume, help: help,
            variable: Variable {
                .boolean($0[keyPath: path])
            } write: {
                guard case .boolean(let value) = $1 else { preconditionFailure("\(name): not a boolean") }
                $0[keyPath: path] = value
            })
    }

    static func text(
        _ section: Section, _ name: String, _ path: Path<String>, _ onResume: OnResume, _ help: String,
        example: String? = nil
    ) -> Self {
        Self(
            section: section, name: name, kind: .text, onResume: onResume, help: help,
            variable: Variable {
                .text($0[keyPath: path])
            } write: {
                guard case .text(let value) = $1 else { preconditionFailure("\(name): not text") }
                $0[keyPath: path] = value
            }
        ).shown(as: example)
    }

    static func path(
        _ section: Section, _ name: String, _ path: Path<String>, _ onResume: OnResume, _ form: PathForm, _ help: String
    ) -> Self {
        Self(
            section: section, name: name, kind: .path(form), onResume: onResume, help: help,
            variable: Variable {
                .text($0[keyPath: path])
            } write: {
                guard case .text(let value) = $1 else { preconditionFailure("\(name): not text") }
                $0[keyPath: path] = value
            })
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ section: Section, _ name: String, _ path: Path<Choice>, _ onResume: OnResume, _ help: String
    ) -> Self {
        let names = Choice.allCases.map(\.rawValue)
        return Self(
            section: section, name: name, kind: .choice(names), onResume: onResume, help: help,
            variable: Variable {
                .text($0[keyPath: path].rawValue)
            } write: {
                guard case .text(let text) = $1, let choice = Choice(rawValue: text) else {
                    preconditionFailure("\(name): not one of \(names)")
                }
                $0[keyPath: path] = choice
            })
    }

    static func layerSplit(
        _ section: Section, _ name: String, _ path: Path<LayerSplit>, _ onResume: OnResume, _ help: String
    ) -> Self {
        Self(
            section: section, name: name, kind: .layerSplit, onResume: onResume, help: help,
            variable: Variable {
                if case .explicit(let counts) = $0[keyPath: path] { return .list(counts) }
                return .text($0[keyPath: path].description)
            } write: {
                switch $1 {
                case .list(let counts): $0[keyPath: path] = .explicit(counts)
                case .text(let text): if let split = LayerSplit(text) { $0[keyPath: path] = split }
                default: preconditionFailure("\(name): not a split")
                }
            })
    }

    static func paths(
        _ section: Section, _ name: String, _ path: Path<CorpusPaths>, _ onResume: OnResume, _ help: String,
        example: String
    ) -> Self {
        Self(
            section: section, name: name, kind: .paths, onResume: onResume, help: help,
            variable: Variable {
                switch $0[keyPath: path] {
                case .text(let text): .text(text)
                case .list(let paths): .texts(paths)
                }
            } write: {
                switch $1 {
                case .text(let text): $0[keyPath: path] = .text(text)
                case .texts(let paths): $0[keyPath: path] = .list(paths)
                default: preconditionFailure("\(name): no paths")
                }
            }
        ).shown(as: example)
    }
}
