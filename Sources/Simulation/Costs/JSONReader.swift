import Foundation

/// A value in a JSON file and its place there, for messages that say where something is wrong.
struct JSONReader {
    private let value: Any
    private let path: String

    private init(value: Any, path: String) {
        self.value = value
        self.path = path
    }

    init(text: String) throws {
        do {
            value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
        } catch let error as NSError {
            let detail = error.userInfo[NSDebugDescriptionErrorKey] as? String ?? error.localizedDescription
            throw SimulationError("costs: not JSON: \(detail)")
        }
        path = "costs"
    }

    /// The members of an object.
    struct Fields {
        fileprivate let values: [String: JSONReader]
        fileprivate let path: String

        func required(_ key: String) throws -> JSONReader {
            guard let value = values[key] else { throw SimulationError("\(path): '\(key)' is missing") }
            return value
        }

        func optional(_ key: String) -> JSONReader? { values[key] }
    }

    private func fault(_ expected: String) -> SimulationError {
        let found =
            switch value {
            case is NSNull: "null"
            case is [Any]: "an array"
            case is [String: Any]: "an object"
            case let text as String: "\"\(text)\""
            default: "\(value)"
            }
        return SimulationError("\(path): expected \(expected), found \(found)")
    }

    func object(allowing keys: [String]) throws -> Fields {
        guard let object = value as? [String: Any] else { throw fault("an object") }
        if let unknown = object.keys.sorted().first(where: { !keys.contains($0) }) {
            throw SimulationError(
                "\(path): unknown key '\(unknown)'; expected some of \(keys.joined(separator: ", "))")
        }
        return Fields(
            values: Dictionary(
                uniqueKeysWithValues: object.map { ($0.key, JSONReader(value: $0.value, path: "\(path): \($0.key)")) }),
            path: path)
    }

    func array() throws -> [JSONReader] {
        guard let array = value as? [Any] else { throw fault("an array") }
        return array.enumerated().map { JSONReader(value: $0.element, path: "\(path)[\($0.offset)]") }
    }

    func oneOrMany<T>(_ read: (JSONReader) throws -> T) throws -> [T] {
        if value is [Any] { return try array().map(read) }
        return [try read(self)]
    }

    func string() throws -> String {
        guard let text = value as? String else { throw fault("a string") }
        return text
    }

    private func number(_ expected: String) throws -> Double {
        // Foundation's truth values pass for numbers; only their encoding as a character tells them apart.
        guard let number = value as? NSNumber, String(cString: number.objCType) != "c", number.doubleValue.isFinite
        else { throw fault(expected) }
        return number.doubleValue
    }

    /// A time of at least 0 in milliseconds, as seconds.
    func milliseconds() throws -> Double {
        let expected = "a time in milliseconds, at least 0"
        let number = try number(expected)
        guard number >= 0 else { throw fault(expected) }
        return number / 1e3
    }

    func positive() throws -> Double {
        let number = try number("a number above 0")
        guard number > 0 else { throw fault("a number above 0") }
        return number
    }

    /// A share from 0 to 1.
    func share() throws -> Double {
        let number = try number("a share from 0 to 1")
        guard (0...1).contains(number) else { throw fault("a share from 0 to 1") }
        return number
    }

    /// A whole number of at least 0.
    func wholeNumber() throws -> Int {
        let expected = "a whole number, at least 0"
        let number = try number(expected)
        guard number >= 0, number == number.rounded(), number < 9e15 else { throw fault(expected) }
        return Int(number)
    }
}
