import Simulation
import Testing
import Training

struct PlanningTests {
    private static let good = """
        [cluster]
        nodes = 2
        cores = 4
        memory = "16GiB"
        network = "5us,25gbit"
        """

    @Test("a cluster's file gives its figures, defaults where it says nothing, and the measured speed only if needed")
    func reading() throws {
        let cluster = try ClusterFile.cluster(Self.good, name: "c.toml") { 42 }
        #expect(cluster.nodes == 2 && cluster.sockets == 1 && cluster.cores == 4 && cluster.gflops == 42)
        #expect(cluster.memory == 16 * 1_073_741_824 && cluster.network.bandwidth == 25 * 125e6)
        var asked = false
        let given = try ClusterFile.cluster(Self.good + "\ngflops = 60\nsockets = 2", name: "c.toml") {
            asked = true
            return 1
        }
        #expect(given.gflops == 60 && given.ranksPerNode == [1, 2, 4] && !asked)
    }

    @Test(
        "a wrong cluster file is refused with the key and what was expected",
        arguments: [
            ("", "expected the section [cluster]"), ("[cluster", "c.toml:1:"), ("nodes = 1", "unknown section or key"),
            ("[cluster]\nnodes = 2\ncores = 4\nmemory = 1\nnetwork = \"1us\"\nnode = 3", "unknown key 'node'"),
            ("[cluster]\ncores = 4", "nodes: expected a whole number, found nothing"),
            ("[cluster]\nnodes = \"2\"", "nodes: expected a whole number"),
            ("[cluster]\nnodes = 2\ncores = 4\nmemory = \"much\"", "memory: expected bytes such as 480GiB"),
            ("[cluster]\nnodes = 2\ncores = 4\nmemory = \"1GiB\"\nnetwork = \"fast\"", "network:"),
            ("[cluster]\nnodes = 0\ncores = 4\nmemory = \"1GiB\"\nnetwork = \"1us\"", "at least 1"),
            ("[cluster]\nnodes = 1\nsockets = 3\ncores = 4\nmemory = \"1GiB\"\nnetwork = \"1us\"", "3 sockets"),
        ])
    func malformed(text: String, expected: String) {
        let error = #expect(throws: SimulationError.self) {
            try ClusterFile.cluster(text, name: "c.toml") { 50 }
        }
        #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
    }

    @Test("a measured cluster's file reads back to the same description")
    func writing() throws {
        let cluster = try Cluster(
            nodes: 3, sockets: 2, cores: 8, memory: 64 * 1_073_741_824, gflops: 41.25, serialShare: 0.01,
            overhead: 62.5e-6, memoryBandwidth: 12.5e9, network: Link(latency: 12.5e-6, bandwidth: 1.25e9),
            local: Link(latency: 2e-6, bandwidth: 5e9))
        let text = ClusterFile.text(cluster, note: "measured", isNetworkMeasured: true)
        let back = try ClusterFile.cluster(text, name: "c.toml") { -1 }
        #expect(back.nodes == 3 && back.sockets == 2 && back.cores == 8 && back.memory == cluster.memory)
        for (a, b) in [
            (back.gflops, cluster.gflops), (back.overhead, cluster.overhead), (back.serialShare, cluster.serialShare),
            (back.memoryBandwidth, cluster.memoryBandwidth), (back.network.latency, cluster.network.latency),
            (back.network.bandwidth, cluster.network.bandwidth), (back.local.bandwidth, cluster.local.bandwidth),
        ] { #expect(abs(a / b - 1) < 1e-9) }
    }

    @Test("the planner's model has the parameters and the arithmetic of the real one")
    func model() {
        var configuration = RunConfiguration()
        configuration.model.layers = 3
        let planned = PlannedModel(configuration)
        let section = configuration.model
        let (d, z, e, f, n) = (section.dim, section.zDim, section.valueDim, section.ffnDim, section.emaDim)
        let layer = d * d + 3 * d * e + d * z + 3 * d * f + 4 * d * n + 2 * e + 9 * z + 7 * d
        #expect(Int(planned.layer.parameters) == layer)
        #expect(Int(planned.parameters) == 3 * layer + 2 * 256 * d + 2 * d)
        #expect(Int(planned.layer.linearFlops) == 2 * (d * d + 3 * d * e + d * z + 3 * d * f))
        #expect(Int(planned.output.linearFlops) == 2 * 256 * d && planned.layer.otherFlops > 0)
        let bytes = (planned.bytes(256).layer, planned.bytes(512).layer)
        #expect(bytes.0.stash > Double(4 * 256 * d) && bytes.1.stash > 1.8 * bytes.0.stash)
        #expect(planned.sliceLengths == [128, 256, 512, 1024])
        // Packed once for each direction, padded to whole panels.
        let weights = planned.layer.linearFlops / 2
        #expect(planned.layer.packedBytes >= 8 * weights && planned.layer.packedBytes < 9 * weights)
        #expect(planned.embedding.packedBytes == 0)
    }

    @Test("compressed messages are planned with half the bytes, bfloat16 weights with half the packed memory")
    func smallerFormats() {
        var configuration = RunConfiguration()
        let plain = PlannedModel(configuration)
        configuration.pipeline.compressMessages = true
        configuration.model.precision = .bf16
        let small = PlannedModel(configuration)
        #expect(small.messageBytesPerToken == plain.messageBytesPerToken / 2)
        #expect(small.activationBytesPerToken == plain.activationBytesPerToken)
        #expect(small.layer.packedBytes == plain.layer.packedBytes / 2)
    }
}
