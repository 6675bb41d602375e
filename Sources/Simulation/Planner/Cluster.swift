/// A cluster of equal nodes as the planner sees it.
package struct Cluster: Sendable, Equatable {
    package var nodes: Int
    package var sockets: Int
    /// Cores per node, over all sockets.
    package var cores: Int
    /// Bytes of memory per node that training may use.
    package var memory: Double
    /// Sustained GFLOP/s of one core in the model's matrix products.
    package var gflops: Double
    /// Share of a core that each further core of a rank loses.
    package var serialShare: Double
    /// Seconds that a layer takes per action beside its arithmetic: short products, fork and join, norms. What makes short
    /// slices slow.
    package var overhead: Double
    /// Bytes per second between memory and all cores of a node.
    package var memoryBandwidth: Double
    /// Between two nodes, for a whole node.
    package var network: Link
    /// Between two ranks of a node.
    package var local: Link

    package init(
        nodes: Int, sockets: Int = 1, cores: Int, memory: Double, gflops: Double, serialShare: Double = 0.01,
        overhead: Double = 50e-6, memoryBandwidth: Double = 100e9, network: Link,
        local: Link = Link(latency: 1e-6, bandwidth: 5e9)
    ) throws {
        for (what, value) in [("nodes", nodes), ("sockets", sockets), ("cores", cores)] where value < 1 {
            throw SimulationError("cluster: \(what): expected at least 1, found \(value)")
        }
        guard cores % sockets == 0 else {
            throw SimulationError("cluster: cores: \(cores) cores a node don't divide by \(sockets) sockets")
        }
        for (what, value) in [
            ("memory", memory), ("gflops", gflops), ("memory_bandwidth", memoryBandwidth),
            ("network bandwidth", network.bandwidth), ("local bandwidth", local.bandwidth),
        ] where !(value > 0) {
            throw SimulationError("cluster: \(what): expected a number above 0, found \(value)")
        }
        for (what, value) in [("serial_share", serialShare), ("overhead", overhead)] where !(value >= 0) {
            throw SimulationError("cluster: \(what): expected at least 0, found \(value)")
        }
        self.nodes = nodes
        self.sockets = sockets
        self.cores = cores
        self.memory = memory
        self.gflops = gflops
        self.serialShare = serialShare
        self.overhead = overhead
        self.memoryBandwidth = memoryBandwidth
        self.network = network
        self.local = local
    }

    /// Arithmetic operations per second of a rank with `threads` cores.
    package func speed(threads: Int) -> Double {
        gflops * 1e9 * Double(threads) / (1 + serialShare * Double(threads - 1))
    }

    /// Ways to deal a node's cores to ranks, none across two sockets unless a rank has all of a node: ranks per node.
    package var ranksPerNode: [Int] {
        (1...cores).filter { cores % $0 == 0 && ($0 == 1 || $0 % sockets == 0) }
    }
}
