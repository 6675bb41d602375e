import JSON

/// A value in a JSON file, asked for by its type; what is wrong is told with its line, its column, its name and what
/// the file says.
struct CostReader {
    private let node: JSONNode
    /// The names that lead to it, for messages.
    private let path: String
    private let bytes: [UInt8]

    private init(_ node: JSONNode, path: String, bytes: [UInt8]) {
        self.node = node
        self.path = path
        self.bytes = bytes
    }

    /// - Parameter name: of the document in messages
    init(text: String, name: String) throws {
        bytes = Array(text.utf8)
        path = name
        do {
            node = try JSONParser.parse(bytes)
        } catch let fault as JSONError {
            let (line, column) = JSONParser.place(of: fault.offset, in: bytes)
            throw SimulationError("line \(line), column \(column): \(name): not JSON: \(fault.reason)")
        }
    }

    /// An error at this value.
    func fault(_ message: String) -> SimulationError {
        let (line, column) = JSONParser.place(of: node.range.lowerBound, in: bytes)
        return SimulationError("line \(line), column \(column): \(path): \(message)")
    }

    private func wrong(_ expected: String) -> SimulationError { fault("expected \(expected), found \(found)") }

    /// What the file has here, as it is written there.
    private var found: String {
        switch node.value {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer, .number: String(decoding: bytes[node.range].prefix(60), as: UTF8.self)
        case .string(let text): "\"\(text.shown.prefix(60))\""
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The members of an object.
    struct Fields {
        fileprivate let values: [String: CostReader]
        fileprivate let object: CostReader

        func required(_ key: String) throws -> CostReader {
            guard let value = values[key] else { throw object.fault("'\(key)' is missing") }
            return value
        }

        func optional(_ key: String) -> CostReader? { values[key] }
    }

    /// - Parameter keys: those that are known; nil passes over what isn't asked for
    func object(allowing keys: [String]? = nil) throws -> Fields {
        guard case .object(let members) = node.value else { throw wrong("an object") }
        if let keys, let unknown = members.first(where: { !keys.contains($0.key) }) {
            throw CostReader(unknown.node, path: path, bytes: bytes).fault(
                "unknown key '\(unknown.key.shown.prefix(80))'; expected some of \(keys.joined(separator: ", "))")
        }
        let values = members.map { ($0.key, CostReader($0.node, path: "\(path): \($0.key)", bytes: bytes)) }
        // The parser refuses keys that are the same bytes; of those that are the same text only the first is seen.
        return Fields(values: Dictionary(values) { first, _ in first }, object: self)
    }

    func array() throws -> [CostReader] {
        guard case .array(let elements) = node.value else { throw wrong("an array") }
        return elements.enumerated().map { CostReader($0.element, path: "\(path)[\($0.offset)]", bytes: bytes) }
    }

    func oneOrMany<T>(_ read: (CostReader) throws -> T) throws -> [T] {
        if case .array = node.value { return try array().map(read) }
        return [try read(self)]
    }

    func string() throws -> String {
        guard let text = node.string else { throw wrong("a string") }
        return text
    }

    private func number(_ range: ClosedRange<Double>, _ expected: String) throws -> Double {
        if case .number(let text) = node.value, node.number == nil {
            throw fault("the number \(text.prefix(40)) is larger than any that can be counted with")
        }
        guard let number = node.number, range.contains(number) else { throw wrong(expected) }
        return number
    }

    /// A time in milliseconds, as seconds.
    func milliseconds() throws -> Double { try number(Bounds.milliseconds, Bounds.millisecondsText) / 1e3 }

    /// A number above 0 and up to `most`.
    func positive(atMost most: Double) throws -> Double {
        try number(Double.leastNonzeroMagnitude...most, "a number above 0, at most \(most.asWritten)")
    }

    /// A share from 0 to 1.
    func share() throws -> Double { try number(0...1, "a share from 0 to 1") }

    func wholeNumber(_ range: ClosedRange<Int>) throws -> Int {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let number = try number(Double(range.lowerBound)...Double(range.upperBound), expected)
        guard number == number.rounded() else { throw wrong(expected) }
        return Int(number)
    }

    func number(_ range: ClosedRange<Double>) throws -> Double {
        try number(range, "a number from \(range.lowerBound.asWritten) to \(range.upperBound.asWritten)")
    }
}
