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
        let (node, core) = (cluster.node, cluster.core)
        return """
            # \(note)
            # gecko plan reads this file. For more nodes of this kind change nodes and network.
            [cluster]
            nodes = \(cluster.nodes)
            sockets = \(node.sockets)
            cores = \(node.cores)
            memory = "\(digits(node.memory / 1_073_741_824))GiB"
            gflops = \(digits(core.gflops))             # of a core, all of the model's arithmetic counted
            overhead = \(digits(core.overhead * 1e3))           # ms a layer takes per action beside its arithmetic
            serial_share = \(digits(core.serialShare))
            memory_bandwidth = "\(digits(node.memoryBandwidth / 1e9))GB/s"  # from the end of a step, optimizer and \
            norm included
            network = "\(cluster.network.text)"  # \(remark)
            local = "\(cluster.local.text)"

            """
    }
}
