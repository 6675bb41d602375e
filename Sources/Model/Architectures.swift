/// The architectures that a program knows. To add one, add its type to `known`.
package struct Architectures: Sendable {
    package let all: [any Architecture.Type]

    package static let known = Architectures([
        GeckoConfiguration.self, LlamaConfiguration.self, MegalodonConfiguration.self, MegaConfiguration.self,
    ])

    /// - Parameter all: the first one is that of a configuration that names none
    package init(_ all: [any Architecture.Type]) {
        precondition(!all.isEmpty, "a program without an architecture trains nothing")
        self.all = all
    }

    package var names: [String] { all.map { $0.name } }
    package var standard: any Architecture.Type { all[0] }

    package func named(_ name: String) -> (any Architecture.Type)? { all.first { $0.name == name } }
}
