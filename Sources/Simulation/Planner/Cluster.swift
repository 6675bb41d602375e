/// A cluster of equal nodes as the planner sees it.
public struct Cluster: Sendable, Equatable {
    public var nodes: Int
    public var sockets: Int
    /// Cores per node, over all sockets.
    public var cores: Int
    /// Bytes of memory per node that training may use.
    public var memory: Double
    /// Sustained GFLOP/s of one core in the model's matrix products.
    public var gflops: Double
    /// Share of a core that each further core of a rank loses.
    public var serialShare: Double
    /// Seconds that a layer takes per action beside its arithmetic: short products, fork and join, norms. What makes
    /// short slices slow.
    public var overhead: Double
    /// Bytes per second between memory and all cores of a node.
    public var memoryBandwidth: Double
    /// Between two nodes, for a whole node.
    public var network: Link
    /// Between two ranks of a node.
    public var local: Link

    public init(
        nodes: Int, sockets: Int = 1, cores: Int, memory: Double, gflops: Double, serialShare: Double = 0.01,
        overhead: Double = 50e-6, memoryBandwidth: Double = 100e9, network: Link,
        local: Link = Link(latency: 1e-6, bandwidth: 5e9)
    ) throws {
        for (what, value, bounds) in [
            ("nodes", nodes, Bounds.nodes), ("sockets", sockets, Bounds.sockets), ("cores", cores, Bounds.cores),
        ] where !bounds.contains(value) {
            throw SimulationError(
                "cluster: \(what): expected at least 1 and at most \(bounds.upperBound), found \(value)")
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
        guard (0...1).contains(serialShare) else {
            throw SimulationError("cluster: serial_share: expected a share from 0 to 1, found \(serialShare.asWritten)")
        }
        guard Self.overheads.contains(overhead * 1e3) else {
            throw SimulationError(
                "cluster: overhead: expected \(Self.overheadText), found \((overhead * 1e3).asWritten)")
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

    /// Milliseconds that `overhead` may be.
    public static let overheads = 0.0...3.6e6
    public static let overheadText = "a number of milliseconds from 0 to 3600000"

    /// Arithmetic operations per second of a rank with `threads` cores.
    public func speed(threads: Int) -> Double {
        gflops * 1e9 * Double(threads) / (1 + serialShare * Double(threads - 1))
    }

    /// Ways to deal a node's cores to ranks, none across two sockets unless a rank has all of a node: ranks per node.
    public var ranksPerNode: [Int] {
        (1...cores).filter { cores % $0 == 0 && ($0 == 1 || $0 % sockets == 0) }
    }
}
