/// What a rank found out about its node and its part of it.
package struct NodeFacts: Sendable, Equatable {
    /// A core that this rank uses.
    package struct Core: Sendable, Equatable {
        /// hwloc's number.
        package var number: Int
        /// In matrix products, while all cores of the rank compute.
        package var gflops: Double
        /// Share of the time that other programs had it, 0 ... 1.
        package var taken: Double
        /// The most by which the same products of two engines differ on it, as a multiple of what rounding may come to;
        /// nil with one engine.
        package var deviation: Double?
        /// A digest of the bits of those products.
        package var productBits = ""

        package init(number: Int, gflops: Double, taken: Double) {
            self.number = number
            self.gflops = gflops
            self.taken = taken
        }
    }

    package var rank: Int
    package var node: String
    package var processor = ""
    /// The level whose kernels run: 5 (x86-64-v4 with bfloat16 products), 4, 3 or 0.
    package var cpuLevel = 3
    /// Cores of the whole node.
    package var nodeCores: Int
    /// Bytes of the node, and those that are not in use.
    package var memory: Double
    package var freeMemory: Double
    /// Those that this rank uses.
    package var cores: [Core] = []
    /// Bytes a second that all of the rank's cores together copy, reading and writing counted.
    package var memoryBandwidth = 0.0
    /// Cores' worth of time for which a CPU quota held this process back while its cores were measured.
    package var throttled = 0.0
    /// Seconds that the node's clock is ahead of rank 0's, and how far that may be off.
    package var clockOffset = 0.0
    package var clockError = 0.0
    /// A digest of the bits that a fixed computation gives.
    package var bits = ""
    /// Why there is no second engine to compare products with; nil where there is.
    package var witnessProblem: String?
    /// Golden cases that ran, and those that failed, each with its reason. Nil where golden data was not asked for.
    package var goldenCases: Int?
    package var goldenFailures: [String] = []
    /// A limit on the processors' time, in cores, and where it is set; nil where there is none below the node's cores.
    package var quotaCores: Double?
    package var quotaFile: String?
    /// What is wrong with the shared folder as this rank sees it; nil when all is well.
    package var folderProblem: String?

    /// What needs no measuring; the rest is set as it is found out.
    package init(rank: Int, node: String, nodeCores: Int, memory: Double, freeMemory: Double) {
        self.rank = rank
        self.node = node
        self.nodeCores = nodeCores
        self.memory = memory
        self.freeMemory = freeMemory
    }
}

extension NodeFacts {
    /// Its threads may have less time than cores.
    var isShortOfTime: Bool { quotaCores.map { $0 < Double(cores.count) } ?? false }
}

/// Messages from one rank to a neighbour.
package struct LinkFacts: Sendable, Equatable {
    package var from: Int
    package var to: Int
    /// Seconds that a message of 8 bytes takes one way.
    package var latency: Double
    /// Bytes a second of long messages.
    package var bandwidth: Double

    package init(from: Int, to: Int, latency: Double, bandwidth: Double) {
        self.from = from
        self.to = to
        self.latency = latency
        self.bandwidth = bandwidth
    }
}
