import Simulation

/// What Slurm says of the nodes of a partition: the least that all of them have.
package struct NodeShape: Sendable, Equatable {
    package var nodes: Int
    package var sockets: Int
    /// Cores a node, over all sockets.
    package var cores: Int
    /// Bytes a node.
    package var memory: Double
    package var areAlike: Bool

    package static let query = ["sinfo", "-h", "-N", "-o", "%N %X %Y %m"]

    /// - Parameter sinfo: lines of node, sockets, cores a socket, megabytes, as `query` gives them
    package init(sinfo: String) throws {
        var lines: [String: [Int]] = [:]
        for line in sinfo.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 4 else { continue }
            // A "+" marks a figure that nodes of a line differ in.
            let numbers = words[1...].compactMap { Int($0.filter(\.isNumber)) }
            if numbers.count == 3 { lines[String(words[0])] = numbers }
        }
        guard let first = lines.values.first else {
            throw BatchError(
                "sinfo names no nodes: is the partition's name right? Or describe the cluster: --cluster FILE")
        }
        nodes = lines.count
        sockets = lines.values.reduce(first[0]) { min($0, $1[0]) }
        let perSocket = lines.values.reduce(first[1]) { min($0, $1[1]) }
        cores = sockets * perSocket
        memory = Double(lines.values.reduce(first[2]) { min($0, $1[2]) }) * 1_048_576
        areAlike = lines.values.allSatisfy { $0 == first }
    }
}
