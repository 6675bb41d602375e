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
    /// - Throws: `SimulationError` that names the place, the key, what was expected and what the file says.
    package static func cluster(_ text: String, name: String, measured: () -> Double) throws -> Cluster {
        guard !text.contains("\0") else { throw SimulationError("\(name) has a NUL character; expected a TOML file") }
        let text = Self.normalised(text)
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw SimulationError(
                "\(name):\(error.source.begin.line):\(error.source.begin.column): \(error.description)")
        }
        let places = ValueLocator(text)
        func place(_ path: String...) -> String { places.prefix(of: path, file: name) }
        if let section = root.keys.sorted().first(where: { $0 != "cluster" }) {
            throw SimulationError(
                "\(place(section)): unknown section or key '\(section.prefix(80))'; expected [cluster] alone")
        }
        guard let table = root["cluster"]?.table else {
            throw SimulationError("\(name): expected the section [cluster] with \(keys.joined(separator: ", "))")
        }
        if let unknown = table.keys.sorted().first(where: { !keys.contains($0) }) {
            throw SimulationError(
                "\(place("cluster", unknown)): unknown key '\(unknown.prefix(80))'; expected some of "
                    + keys.joined(separator: ", "))
        }
        return try cluster(ClusterReader(table: table, places: places, file: name), measured: measured)
    }

    private static func cluster(_ reader: ClusterReader, measured: () -> Double) throws -> Cluster {
        let nodes = try reader.integer("nodes", Bounds.nodes)
        let sockets = try reader.integer("sockets", Bounds.sockets, default: 1)
        let cores = try reader.integer("cores", Bounds.cores)
        guard cores % sockets == 0 else {
            throw reader.fault("cores", "\(cores) cores a node don't divide by \(sockets) sockets")
        }
        let memory = try reader.bytes("memory")
        let network = try reader.link("network")
        let local = try reader.link("local", default: "1us,5GB/s")
        let memoryBandwidth = try reader.bandwidth("memory_bandwidth", default: "100GB/s")
        let serialShare = try reader.number("serial_share", 0...1, "a share from 0 to 1") ?? 0.01
        let overhead = try reader.number("overhead", Cluster.overheads, Cluster.overheadText) ?? 0.05
        let gflops = try reader.number("gflops", 1e-3...1e6, "GFLOP/s of a core, from 0.001 to 1000000")
        return try Cluster(
            nodes: nodes,
            node: .init(sockets: sockets, cores: cores, memory: memory, memoryBandwidth: memoryBandwidth),
            core: .init(gflops: gflops ?? measured(), serialShare: serialShare, overhead: overhead / 1e3),
            network: network, local: local)
    }

    /// The text with lines as TOML has them: some editors end them with a carriage return, and put a byte order mark in
    /// front.
    private static func normalised(_ text: String) -> String {
        let scalars =
            text.unicodeScalars.first == "\u{feff}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
        guard scalars.contains("\r") else { return String(scalars) }
        return String(scalars).replacingOccurrences(of: "\r\n", with: "\n").replacingOccurrences(of: "\r", with: "\n")
    }
}
