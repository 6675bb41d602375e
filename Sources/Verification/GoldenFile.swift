import Checkpoints
import Foundation
import Numerics

/// A file of golden data: tensors by name, hyperparameters as JSON in the metadata.
struct GoldenFile {
    let name: String
    private let file: SafetensorsFile

    init(path: String) throws {
        name = String(path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...])
        file = try SafetensorsFile(path)
    }

    var names: [String] { file.names }

    func has(_ name: String) -> Bool { file.contains(name) }

    func shape(_ name: String) throws -> [Int] {
        guard has(name) else { throw missing(name) }
        return try file.entry(name).shape
    }

    /// A shape with so many axes.
    func shape(_ name: String, axes: Int) throws -> [Int] {
        let shape = try shape(name)
        guard shape.count == axes else {
            throw VerificationError("\(self.name): tensor '\(name)' has shape \(shape); it should have \(axes) axes")
        }
        return shape
    }

    func isReal(_ name: String) throws -> Bool { try file.entry(name).type == .float32 }

    func floats(_ name: String) throws -> [Float] {
        guard has(name) else { throw missing(name) }
        return try file.floats(name)
    }

    func ints(_ name: String) throws -> [Int32] {
        guard has(name) else { throw missing(name) }
        return try file.int32s(name)
    }

    func flags(_ name: String) throws -> [Bool] {
        guard has(name) else { throw missing(name) }
        return try file.uint8s(name).map { $0 != 0 }
    }

    /// The JSON value under a metadata key.
    func metadata(_ key: String) throws -> Any {
        guard let text = file.metadata[key] else {
            throw VerificationError("\(name): no metadata under '\(key)'; it should hold the hyperparameters as JSON")
        }
        do {
            return try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        } catch {
            throw VerificationError("\(name): the metadata under '\(key)' isn't JSON: \(text.prefix(80))")
        }
    }

    func object(_ key: String) throws -> Hyperparameters {
        guard let values = try metadata(key) as? [String: Any] else {
            throw VerificationError("\(name): the metadata under '\(key)' should be a JSON object")
        }
        return Hyperparameters(file: name, key: key, values: values)
    }

    /// Case names: the part before the first dot.
    var cases: [String] {
        Array(Set(names.map { String($0.prefix { $0 != "." }) })).sorted()
    }

    func missing(_ tensor: String) -> VerificationError {
        VerificationError("\(name): tensor '\(tensor)' is missing")
    }
}

/// Hyperparameters of a case, with errors that name what is missing.
struct Hyperparameters {
    let file: String
    let key: String
    let values: [String: Any]

    func number(_ name: String) throws -> Double {
        guard let value = values[name] as? NSNumber else {
            throw VerificationError("\(file): '\(key)' has no number '\(name)'")
        }
        return value.doubleValue
    }

    func int(_ name: String) throws -> Int { Int(try number(name)) }
    func flag(_ name: String) throws -> Bool { try number(name) != 0 }
    func optionalInt(_ name: String) -> Int? { (values[name] as? NSNumber)?.intValue }

    func string(_ name: String) throws -> String {
        guard let value = values[name] as? String else {
            throw VerificationError("\(file): '\(key)' has no text '\(name)'")
        }
        return value
    }
}

package struct VerificationError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension FloatBuffer {
    convenience init(_ values: [Float]) {
        self.init(values.count)
        base.update(from: values, count: values.count)
    }

    func values(_ count: Int? = nil) -> [Float] { Array(UnsafeBufferPointer(start: base, count: count ?? self.count)) }
}

extension Array {
    /// Row `i` of a batch of `rows`.
    func row(_ i: Int, of rows: Int) -> [Element] {
        let n = rows == 0 ? 0 : count / rows
        return Array(self[i * n..<(i + 1) * n])
    }
}
