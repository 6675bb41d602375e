import Model

/// Every key of a configuration: those that all have, and those of its architecture.
package struct ConfigurationKeys: Sendable {
    /// In the order of help, example and resolved file.
    package let all: [ConfigurationKey]
    private let byName: [String: ConfigurationKey]

    init(_ architecture: any Architecture.Type, among known: Architectures) {
        let model = [.architecture(known)] + architecture.keys.map { ConfigurationKey($0) }
        all = model + ConfigurationKey.common
        byName = Dictionary(uniqueKeysWithValues: all.map { ($0.qualifiedName, $0) })
    }

    subscript(_ qualifiedName: String) -> ConfigurationKey? { byName[qualifiedName] }

    func of(_ section: ConfigurationKey.Section) -> [ConfigurationKey] { all.filter { $0.section == section } }
}

extension ConfigurationKey {
    static let architectureName = "model.architecture"

    fileprivate static func architecture(_ known: Architectures) -> ConfigurationKey {
        ConfigurationKey(
            section: .model, name: "architecture", kind: .choice(known.names), onResume: .anotherRun,
            help: "How the model is built; the other keys of this section are the architecture's own.",
            variable: Variable {
                .text(type(of: $0.model).name)
            } write: { configuration, value in
                guard case .text(let name) = value, let architecture = configuration.architectures.named(name) else {
                    preconditionFailure("\(value) is no architecture")
                }
                configuration.choose(architecture)
            })
    }

    /// A key of the architecture's.
    fileprivate init(_ key: ModelKey) {
        let kind: Kind =
            switch key.kind {
            case .integer: .integer
            case .number: .number
            case .boolean: .boolean
            case .choice(let names): .choice(names)
            }
        let variable = Variable {
            switch key.value(in: $0.model) {
            case .integer(let value): .integer(value)
            case .number(let value): .number(value)
            case .boolean(let value): .boolean(value)
            case .text(let value): .text(value)
            }
        } write: { configuration, value in
            let own: ModelKey.Value
            switch value {
            case .integer(let value): own = .integer(value)
            case .number(let value): own = .number(value)
            case .boolean(let value): own = .boolean(value)
            case .text(let value): own = .text(value)
            case .list, .texts, .other: preconditionFailure("\(key.name) takes no \(value)")
            }
            key.set(own, in: &configuration.model)
        }
        self.init(
            section: .model, name: key.name, kind: kind, onResume: key.onResume, help: key.help, variable: variable)
        constraint = key.constraint
    }
}
