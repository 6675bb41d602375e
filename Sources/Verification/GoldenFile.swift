import Checkpoints
import JSON
import Model

/// A safetensors file of golden data, with its hyperparameters as JSON in the metadata.
struct GoldenFile: GoldenSource {
    let name: String
    private let file: SafetensorsFile

    init(path: String) throws {
        name = String(path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...])
        file = try SafetensorsFile(path)
    }

    var names: [String] { file.names }

    func has(_ tensor: String) -> Bool { file.contains(tensor) }

    func shape(_ tensor: String) throws -> [Int] {
        guard has(tensor) else { throw missing(tensor) }
        return try file.entry(tensor).shape
    }

    func isReal(_ tensor: String) throws -> Bool { try file.entry(tensor).type == .float32 }

    func floats(_ tensor: String) throws -> [Float] {
        guard has(tensor) else { throw missing(tensor) }
        return try file.floats(tensor)
    }

    func ints(_ tensor: String) throws -> [Int32] {
        guard has(tensor) else { throw missing(tensor) }
        return try file.int32s(tensor)
    }

    func flags(_ tensor: String) throws -> [Bool] {
        guard has(tensor) else { throw missing(tensor) }
        return try file.uint8s(tensor).map { $0 != 0 }
    }

    /// The architecture that the file is for; nil: it names none.
    var architecture: String? { file.metadata["architecture"] }

    /// The JSON value under a metadata key.
    func metadata(_ key: String) throws -> GoldenValue {
        guard let text = file.metadata[key] else {
            throw VerificationError("\(name): no metadata under '\(key)'; it should hold the hyperparameters as JSON")
        }
        do {
            return GoldenValue(try JSONParser.parse(text))
        } catch {
            throw VerificationError(
                "\(name): the metadata under '\(key)' isn't JSON: \(error). It is \(text.prefix(80))")
        }
    }
}

extension GoldenValue {
    fileprivate init(_ json: JSONNode) {
        switch json.value {
        case .null: self = .nothing
        case .boolean(let flag): self = .number(flag ? 1 : 0)
        case .integer, .number: self = json.number.map { .number($0) } ?? .nothing
        case .string(let text): self = .text(text)
        case .array(let elements): self = .list(elements.map { GoldenValue($0) })
        case .object(let members):
            self = .object(Dictionary(members.map { ($0.key, GoldenValue($0.node)) }) { first, _ in first })
        }
    }
}
