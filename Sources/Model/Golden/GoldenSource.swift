/// Golden data of one file: tensors by name, hyperparameters in its metadata. Every method throws a `VerificationError`
/// that names what is missing.
package protocol GoldenSource {
    /// The file's, without its folder.
    var name: String { get }
    var names: [String] { get }

    func has(_ tensor: String) -> Bool
    func shape(_ tensor: String) throws -> [Int]
    /// Whether the tensor is float32.
    func isReal(_ tensor: String) throws -> Bool
    func floats(_ tensor: String) throws -> [Float]
    func ints(_ tensor: String) throws -> [Int32]
    func flags(_ tensor: String) throws -> [Bool]
    func metadata(_ key: String) throws -> GoldenValue
}

/// A value of a golden file's metadata.
package enum GoldenValue: Sendable {
    /// A number, or a flag as 0 or 1.
    case number(Double)
    case text(String)
    case list([GoldenValue])
    case object([String: GoldenValue])
    case nothing

    var number: Double? { if case .number(let value) = self { value } else { nil } }
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    var flag: Bool? { number.map { $0 != 0 } }
    var list: [GoldenValue] { if case .list(let values) = self { values } else { [] } }
}

/// A case of a golden file.
package struct GoldenCase {
    package let name: String
    /// Computes and compares; what goes wrong before anything can be compared is thrown.
    package let run: (inout CaseReport) throws -> Void
}

extension GoldenSource {
    /// A shape with so many axes.
    func shape(_ name: String, axes: Int) throws -> [Int] {
        let shape = try shape(name)
        guard shape.count == axes else {
            throw VerificationError("\(self.name): tensor '\(name)' has shape \(shape); it should have \(axes) axes")
        }
        return shape
    }

    func object(_ key: String) throws -> Hyperparameters {
        guard case .object(let values) = try metadata(key) else {
            throw VerificationError("\(name): the metadata under '\(key)' should be a JSON object")
        }
        return Hyperparameters(file: name, key: key, values: values)
    }

    /// Case names: the part before the first dot.
    var cases: [String] {
        Array(Set(names.map { String($0.prefix { $0 != "." }) })).sorted()
    }

    package func missing(_ tensor: String) -> VerificationError {
        VerificationError("\(name): tensor '\(tensor)' is missing")
    }
}

/// Hyperparameters of a case, with errors that name what is missing.
package struct Hyperparameters {
    package let file: String
    package let key: String
    let values: [String: GoldenValue]

    func number(_ name: String) throws -> Double {
        guard let value = values[name]?.number else {
            throw VerificationError("\(file): '\(key)' has no number '\(name)'")
        }
        return value
    }

    func int(_ name: String) throws -> Int { Int(try number(name)) }
    func flag(_ name: String) throws -> Bool { try number(name) != 0 }
    func optionalInt(_ name: String) -> Int? { values[name]?.number.map { Int($0) } }

    func string(_ name: String) throws -> String {
        guard let value = values[name]?.text else {
            throw VerificationError("\(file): '\(key)' has no text '\(name)'")
        }
        return value
    }
}

package struct VerificationError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
