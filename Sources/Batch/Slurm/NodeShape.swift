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

    private static let query = ["sinfo", "-h", "-N", "-o", "%N %X %Y %m"]

    /// Asks Slurm.
    /// - Parameter partition: nil for the nodes of all
    package static func ask(partition: String?) throws -> NodeShape {
        let help = "Describe the nodes: --cluster FILE (see gecko plan --help)"
        let text: String?
        do {
            text = try SlurmCommand.run(query + (partition.map { ["--partition=\($0)"] } ?? []), limit: 60)
        } catch {
            let complaint = SlurmComplaint("\(error)")
            throw complaint.isNoCluster ? BatchError("no Slurm here: sinfo says: \(complaint.summary). \(help)") : error
        }
        guard let text else { throw BatchError("no Slurm here to ask for the nodes: there is no sinfo. \(help)") }
        return try NodeShape(sinfo: text)
    }

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
