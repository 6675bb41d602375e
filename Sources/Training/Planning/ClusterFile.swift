import Foundation
import Simulation
import TOMLKit

/// Reads the description of a cluster from its TOML file.
package enum ClusterFile {
    private static let keys = [
        "nodes", "sockets", "cores", "memory", "gflops", "serial_share", "overhead", "memory_bandwidth", "network",
        "local",
    ]

    /// - Parameters:
    ///   - text: the file
    ///   - name: its name, for messages
    ///   - measured: GFLOP/s of a core of this machine, asked for only if the file doesn't say
    /// - Throws: `SimulationError` that names the key, what was expected and what was found.
    package static func cluster(_ text: String, name: String, measured: () -> Double) throws -> Cluster {
        guard !text.contains("\0") else { throw SimulationError("\(name) has a NUL character; expected a TOML file") }
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw SimulationError(
                "\(name):\(error.source.begin.line):\(error.source.begin.column): \(error.description)")
        }
        if let section = root.keys.sorted().first(where: { $0 != "cluster" }) {
            throw SimulationError("\(name): unknown section or key '\(section)'; expected [cluster] alone")
        }
        guard let table = root["cluster"]?.table else {
            throw SimulationError("\(name): expected the section [cluster] with \(keys.joined(separator: ", "))")
        }
        if let unknown = table.keys.sorted().first(where: { !keys.contains($0) }) {
            throw SimulationError("\(name): unknown key '\(unknown)'; expected some of \(keys.joined(separator: ", "))")
        }
        let reader = Reader(table: table, file: name)
        return try Cluster(
            nodes: reader.integer("nodes"), sockets: reader.integer("sockets", default: 1),
            cores: reader.integer("cores"), memory: reader.quantity("memory", "bytes such as 480GiB", Quantity.bytes),
            gflops: reader.number("gflops") ?? measured(), serialShare: reader.number("serial_share") ?? 0.01,
            overhead: (reader.number("overhead") ?? 0.05) / 1e3,
            memoryBandwidth: reader.quantity(
                "memory_bandwidth", "bytes per second such as 300GB/s", default: "100GB/s", Quantity.bandwidth),
            network: reader.link("network", default: nil), local: reader.link("local", default: "1us,5GB/s"))
    }

    private struct Reader {
        let table: TOMLTable
        let file: String

        private func fault(_ key: String, _ expected: String) -> SimulationError {
            guard let value = table[key] else {
                return SimulationError("\(file): \(key): expected \(expected), found nothing")
            }
            return SimulationError("\(file): \(key): expected \(expected), found \(value.debugDescription)")
        }

        func integer(_ key: String, default standard: Int? = nil) throws -> Int {
            if table[key] == nil, let standard { return standard }
            guard let value = table[key]?.int else { throw fault(key, "a whole number") }
            return value
        }

        func number(_ key: String) throws -> Double? {
            guard let node = table[key] else { return nil }
            guard let value = node.double ?? node.int.map(Double.init), value.isFinite else {
                throw fault(key, "a number")
            }
            return value
        }

        func quantity(
            _ key: String, _ expected: String, default standard: String? = nil, _ read: (String) -> Double?
        ) throws -> Double {
            if let number = try? number(key) { return number }
            guard let text = table[key]?.string ?? (table[key] == nil ? standard : nil), let value = read(text) else {
                throw fault(key, expected)
            }
            return value
        }

        func link(_ key: String, default standard: String?) throws -> Link {
            guard let text = table[key]?.string ?? (table[key] == nil ? standard : nil) else {
                throw fault(key, "latency,bandwidth such as \"5us,25gbit\"")
            }
            do { return try Link(text: text) } catch { throw SimulationError("\(file): \(key): \(error)") }
        }
    }
}
