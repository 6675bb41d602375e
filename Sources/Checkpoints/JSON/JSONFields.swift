/// A JSON object whose fields are asked for by name and type; what is missing or of another type is named.
package struct JSONFields {
    private let members: [String: JSONValue]
    private let file: String
    private let path: String

    package init(_ value: JSONValue, file: String, path: String = "") throws {
        self.file = file
        self.path = path
        guard case .object(let members) = value else {
            throw ManifestError(
                file: file, reason: "expected an object\(path.isEmpty ? "" : " at \(path)"), found \(value.summary)")
        }
        // The reader refuses keys that are equal as bytes; the first of those equal as text counts.
        self.members = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
    }

    func fault(_ reason: String) -> ManifestError {
        ManifestError(file: file, reason: (path.isEmpty ? "" : "\(path): ") + reason)
    }

    private func value(_ name: String, _ expected: String) throws -> JSONValue {
        guard let value = members[name] else { throw fault("\"\(name)\" is missing: expected \(expected)") }
        return value
    }

    private func wrong(_ name: String, _ expected: String, _ found: JSONValue) -> ManifestError {
        fault("\"\(name)\": expected \(expected), found \(found.summary)")
    }

    func text(_ name: String) throws -> String {
        let value = try value(name, "text")
        guard case .string(let text) = value else { throw wrong(name, "text", value) }
        return text
    }

    /// Nil where it is missing or null.
    func optionalText(_ name: String) throws -> String? {
        guard let value = members[name], value != .null else { return nil }
        return try text(name)
    }

    /// An integer of at least 0.
    func natural(_ name: String) throws -> Int {
        let value = try value(name, "an integer >= 0")
        guard case .integer(let number) = value, number >= 0 else { throw wrong(name, "an integer >= 0", value) }
        return number
    }

    func naturals(_ name: String) throws -> [Int] {
        let value = try value(name, "a list of integers >= 0")
        guard case .array(let elements) = value else { throw wrong(name, "a list of integers >= 0", value) }
        return try elements.map {
            guard case .integer(let number) = $0, number >= 0 else { throw wrong(name, "integers >= 0", $0) }
            return number
        }
    }

    func object(_ name: String) throws -> JSONFields {
        try JSONFields(try value(name, "an object"), file: file, path: name)
    }

    /// Nil where the field is missing.
    func optionalObject(_ name: String) throws -> JSONFields? { members[name] == nil ? nil : try object(name) }

    func objects(_ name: String) throws -> [JSONFields] {
        let value = try value(name, "a list of objects")
        guard case .array(let elements) = value else { throw wrong(name, "a list of objects", value) }
        return try elements.enumerated().map { try JSONFields($1, file: file, path: "\(name)[\($0)]") }
    }
}
