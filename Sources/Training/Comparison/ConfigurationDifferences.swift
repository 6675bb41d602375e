/// The keys in which groups of runs differ, with the values of each.
package struct ConfigurationDifferences: Sendable {
    package struct Row: Sendable, Equatable {
        package let key: String
        /// By group, as a configuration file has it; nil where the architecture has no such key.
        package let values: [String?]
    }

    package let rows: [Row]

    package init(_ groups: [RunGroup]) {
        var names: [String] = []
        // Each architecture's keys in their order, behind those of the architectures before it.
        for group in groups {
            for key in group.first.configuration.keys.all where !names.contains(key.qualifiedName) {
                names.append(key.qualifiedName)
            }
        }
        rows = names.filter { !RunGroup.free.contains($0) }.compactMap { name in
            let values = groups.map { group in
                group.first.configuration.keys[name].map { $0.written(in: group.first.configuration) }
            }
            return Set(values).count > 1 ? Row(key: name, values: values) : nil
        }
    }
}
