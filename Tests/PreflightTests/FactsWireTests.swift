import MPI
import Preflight
import TestSupport
import Testing

/// What ranks of `gecko doctor` tell each other.
@Suite struct FactsWireTests {
    /// Every field is another value than what it is without being told.
    private static var node: NodeFacts {
        var core = NodeFacts.Core(number: 4, gflops: 71.5, taken: 0.25)
        core.deviation = 0.125
        core.productBits = "9f"
        var node = NodeFacts(rank: 2, node: "n\u{1F}2", nodeCores: 64, memory: 2e11, freeMemory: 1e11)
        (node.processor, node.cpuLevel) = ("EPYC", 4)
        node.cores = [core, NodeFacts.Core(number: 5, gflops: 70, taken: 0)]
        (node.memoryBandwidth, node.throttled) = (3e10, 0.5)
        (node.clockOffset, node.clockError) = (-1e-3, 1e-5)
        (node.bits, node.goldenCases, node.goldenFailures) = ("00ff", 67, ["a", "b: c"])
        node.folderProblem = "it cannot write there"
        node.witnessProblem = "no OpenBLAS"
        (node.quotaCores, node.quotaFile) = (2.5, "cpu.max")
        return node
    }

    @Test func `facts come out as they went in, and damaged ones are refused`() throws {
        #expect(try faultsOnTheWay(Self.node) == [])
        #expect(
            try faultsOnTheWay(
                NodeFacts(rank: 0, node: "n", nodeCores: 1, memory: 0, freeMemory: 0)) == [])
        #expect(try faultsOnTheWay([LinkFacts(from: 0, to: 1, latency: 1e-6, bandwidth: 1e10)]) == [])
    }
}
