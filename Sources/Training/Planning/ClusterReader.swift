import Simulation
import TOMLKit

/// The values of a cluster's file, each held to what it may be before anything is made of it.
struct ClusterReader {
    let table: TOMLTable
    let places: ValueLocator
    let file: String

    /// An error at a key.
    func fault(_ key: String, _ message: String) -> SimulationError {
        SimulationError("\(places.prefix(of: ["cluster", key], file: file)): \(key): \(message)")
    }

    private func wrong(_ key: String, _ expected: String) -> SimulationError {
        guard let value = table[key] else { return fault(key, "expected \(expected), found nothing") }
        let found = places.text(of: ["cluster", key]) ?? value.debugDescription
        return fault(key, "expected \(expected), found \(found.shown)")
    }

    func integer(_ key: String, _ bounds: ClosedRange<Int>, default standard: Int? = nil) throws -> Int {
        if table[key] == nil, let standard { return standard }
        guard let node = table[key], node.type == .int, let value = node.int else { throw wrong(key, "a whole number") }
        guard value >= bounds.lowerBound else { throw wrong(key, "at least \(bounds.lowerBound)") }
        guard value <= bounds.upperBound else { throw wrong(key, "at most \(bounds.upperBound)") }
        return value
    }

    func number(_ key: String, _ bounds: ClosedRange<Double>, _ expected: String) throws -> Double? {
        guard let node = table[key] else { return nil }
        guard let value = number(node), bounds.contains(value) else { throw wrong(key, expected) }
        return value
    }

    private func number(_ node: any TOMLValueConvertible) -> Double? {
        switch node.type {
        case .int: node.int.map(Double.init)
        case .double: node.double
        default: nil
        }
    }

    func bytes(_ key: String) throws -> Double {
        let text = try text(key, "bytes with their unit such as \"480GiB\"", default: nil)
        guard let value = Quantity.bytes(text), (1...1e18).contains(value) else {
            throw wrong(key, "bytes such as 480GiB, from 1B to 888PiB")
        }
        return value
    }

    func bandwidth(_ key: String, default standard: String) throws -> Double {
        let expected = "bytes a second with their unit such as \"300GB/s\""
        guard let value = Quantity.bandwidth(try text(key, expected, default: standard)),
            (1...Bounds.bandwidth).contains(value)
        else { throw wrong(key, expected) }
        return value
    }

    func link(_ key: String, default standard: String? = nil) throws -> Link {
        let text = try text(key, "latency,bandwidth such as \"5us,25gbit\"", default: standard)
        do { return try Link(text: text) } catch { throw fault(key, "\(error)") }
    }

    private func text(_ key: String, _ expected: String, default standard: String?) throws -> String {
        guard let node = table[key] else {
            if let standard { return standard }
            throw wrong(key, expected)
        }
        guard node.type == .string, let text = node.string else { throw wrong(key, expected) }
        return text
    }
}
