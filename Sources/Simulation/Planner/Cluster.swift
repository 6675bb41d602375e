/// A cluster of equal nodes as the planner sees it.
public struct Cluster: Sendable, Equatable {
    public struct Node: Sendable, Equatable {
        public var sockets: Int
        /// Over all sockets.
        public var cores: Int
        /// Bytes that training may use.
        public var memory: Double
        /// Bytes per second between memory and all cores.
        public var memoryBandwidth: Double

        public init(sockets: Int = 1, cores: Int, memory: Double, memoryBandwidth: Double = 100e9) {
            self.sockets = sockets
            self.cores = cores
            self.memory = memory
            self.memoryBandwidth = memoryBandwidth
        }
    }

    /// How fast the model's layers are on a core.
    public struct Core: Sendable, Equatable {
        /// Sustained GFLOP/s in the model's matrix products.
        public var gflops: Double
        /// Share of a core that each further core of a rank loses.
        public var serialShare: Double
        /// Seconds that a layer takes per action beside its arithmetic: short products, fork and join, norms. What
        /// makes short slices slow.
        public var overhead: Double

        public init(gflops: Double, serialShare: Double = 0.01, overhead: Double = 50e-6) {
            self.gflops = gflops
            self.serialShare = serialShare
            self.overhead = overhead
        }
    }

    public var nodes: Int
    public var node: Node
    public var core: Core
    /// Between two nodes, for a whole node.
    public var network: Link
    /// Between two ranks of a node.
    public var local: Link

    public init(
        nodes: Int, node: Node, core: Core, network: Link, local: Link = Link(latency: 1e-6, bandwidth: 5e9)
    ) throws {
        for (what, value, bounds) in [
            ("nodes", nodes, Bounds.nodes), ("sockets", node.sockets, Bounds.sockets),
            ("cores", node.cores, Bounds.cores),
        ] where !bounds.contains(value) {
            throw SimulationError(
                "cluster: \(what): expected at least 1 and at most \(bounds.upperBound), found \(value)")
        }
        guard node.cores % node.sockets == 0 else {
            throw SimulationError(
                "cluster: cores: \(node.cores) cores a node don't divide by \(node.sockets) sockets")
        }
        for (what, value) in [
            ("memory", node.memory), ("gflops", core.gflops), ("memory_bandwidth", node.memoryBandwidth),
            ("network bandwidth", network.bandwidth), ("local bandwidth", local.bandwidth),
        ] where !(value > 0) {
            throw SimulationError("cluster: \(what): expected a number above 0, found \(value)")
        }
        guard (0...1).contains(core.serialShare) else {
            throw SimulationError(
                "cluster: serial_share: expected a share from 0 to 1, found \(core.serialShare.asWritten)")
        }
        guard Self.overheads.contains(core.overhead * 1e3) else {
            throw SimulationError(
                "cluster: overhead: expected \(Self.overheadText), found \((core.overhead * 1e3).asWritten)")
        }
        self.nodes = nodes
        self.node = node
        self.core = core
        self.network = network
        self.local = local
    }

    /// Milliseconds that a core's overhead may be.
    public static let overheads = 0.0...3.6e6
    public static let overheadText = "a number of milliseconds from 0 to 3600000"

    /// Arithmetic operations per second of a rank with `threads` cores.
    public func speed(threads: Int) -> Double {
        core.gflops * 1e9 * Double(threads) / (1 + core.serialShare * Double(threads - 1))
    }

    /// Ways to deal a node's cores to ranks, none across two sockets unless a rank has all of a node: ranks per node.
    public var ranksPerNode: [Int] {
        (1...node.cores).filter { node.cores % $0 == 0 && ($0 == 1 || $0 % node.sockets == 0) }
    }
}
