import Foundation
import Simulation

extension ClusterFile {
    /// The file that `cluster(_:name:measured:)` reads back to the same description.
    ///
    /// - Parameters:
    ///   - note: where the figures come from
    ///   - isNetworkMeasured: whether messages crossed nodes
    package static func text(_ cluster: Cluster, note: String, isNetworkMeasured: Bool) -> String {
        func digits(_ value: Double) -> String { String(format: "%.5g", value) }
        let remark =
            isNetworkMeasured
            ? "measured between nodes"
            : "no message crossed nodes: these are figures of one node; give the network's own for more"
        return """
            # \(note)
            # gecko plan reads this file. For more nodes of this kind change nodes and network.
            [cluster]
            nodes = \(cluster.nodes)
            sockets = \(cluster.sockets)
            cores = \(cluster.cores)
            memory = "\(digits(cluster.memory / 1_073_741_824))GiB"
            gflops = \(digits(cluster.gflops))             # of a core, all of the model's arithmetic counted
            overhead = \(digits(cluster.overhead * 1e3))           # ms a layer takes per action beside its arithmetic
            serial_share = \(digits(cluster.serialShare))
            memory_bandwidth = "\(digits(cluster.memoryBandwidth / 1e9))GB/s"  # from the end of a step, optimizer and \
            norm included
            network = "\(cluster.network.text)"  # \(remark)
            local = "\(cluster.local.text)"

            """
    }
}
