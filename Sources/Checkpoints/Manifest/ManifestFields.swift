import JSON

/// A JSON object whose fields are asked for by name and type; what is missing or of another type is named.
package struct ManifestFields {
    private let members: [String: JSONNode]
    private let file: String
    private let path: String

    package init(_ node: JSONNode, file: String, path: String = "") throws {
        self.file = file
        self.path = path
        guard case .object(let members) = node.value else {
            throw ManifestError(
                file: file,
                reason: """
                    expected an object\(path.isEmpty ? "" : " at \(path)"), found \(node.value.summary)
                    """)
        }
        // The parser refuses keys that are equal as bytes; the first of those equal as text counts.
        self.members = Dictionary(members.map { ($0.key, $0.node) }) { first, _ in first }
    }

    func fault(_ reason: String) -> ManifestError {
        ManifestError(file: file, reason: (path.isEmpty ? "" : "\(path): ") + reason)
    }

    private func value(_ name: String, _ expected: String) throws -> JSONNode {
        guard let value = members[name] else { throw fault("\"\(name)\" is missing: expected \(expected)") }
        return value
    }

    private func wrong(_ name: String, _ expected: String, _ found: JSONNode) -> ManifestError {
        fault("\"\(name)\": expected \(expected), found \(found.value.summary)")
    }

    func text(_ name: String) throws -> String {
        let value = try value(name, "text")
        guard let text = value.string else { throw wrong(name, "text", value) }
        return text
    }

    /// Nil where it is missing or null.
    func optionalText(_ name: String) throws -> String? {
        guard let value = members[name], value.value != .null else { return nil }
        return try text(name)
    }

    /// An integer of at least 0.
    func natural(_ name: String) throws -> Int {
        let value = try value(name, "an integer >= 0")
        guard let number = value.integer, number >= 0 else { throw wrong(name, "an integer >= 0", value) }
        return number
    }

    func naturals(_ name: String) throws -> [Int] {
        let value = try value(name, "a list of integers >= 0")
        guard case .array(let elements) = value.value else { throw wrong(name, "a list of integers >= 0", value) }
        return try elements.map {
            guard let number = $0.integer, number >= 0 else { throw wrong(name, "integers >= 0", $0) }
            return number
        }
    }

    func object(_ name: String) throws -> ManifestFields {
        try ManifestFields(try value(name, "an object"), file: file, path: name)
    }

    /// Nil where the field is missing.
    func optionalObject(_ name: String) throws -> ManifestFields? { members[name] == nil ? nil : try object(name) }

    func objects(_ name: String) throws -> [ManifestFields] {
        let value = try value(name, "a list of objects")
        guard case .array(let elements) = value.value else { throw wrong(name, "a list of objects", value) }
        return try elements.enumerated().map { try ManifestFields($1, file: file, path: "\(name)[\($0)]") }
    }
}
