import Foundation
import Model
import Pipeline
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
        #expect(cluster.nodes == 2 && cluster.node.sockets == 1 && cluster.node.cores == 4 && cluster.core.gflops == 42)
        #expect(cluster.node.memory == 16 * 1_073_741_824 && cluster.network.bandwidth == 25 * 125e6)
        var asked = false
        let given = try ClusterFile.cluster(Self.good + "\ngflops = 60\nsockets = 2", name: "c.toml") {
            asked = true
            return 1
        }
        #expect(given.core.gflops == 60 && given.ranksPerNode == [1, 2, 4] && !asked)
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

    @Test(
        """
        every number of a cluster's file has its bounds, and what is wrong is told with its place and as the file \
        has it
        """,
        arguments: [
            ("nodes = 9223372036854775807", "c.toml:2:9: nodes: expected at most 1000000, found 9223372036854775807"),
            ("nodes = -1", "c.toml:2:9: nodes: expected at least 1, found -1"),
            ("cores = 1_000_000", "found 1_000_000"),
            ("cores = 4.0", "a whole number, found 4.0"), ("sockets = 1025", "at most 1024"),
            ("overhead = -1", "overhead: expected a number of milliseconds from 0 to 3600000, found -1"),
            ("overhead = 1e308  # far", "found 1e308"),
            ("serial_share = 2.0", "expected a share from 0 to 1, found 2.0"),
            ("serial_share = nan", "found nan"), ("serial_share = 1e308", "found 1e308"),
            ("gflops = 0", "gflops: expected"),
            ("gflops = inf", "found inf"), ("gflops = true", "found true"),
            ("memory = 480", "memory: expected bytes with their unit such as \"480GiB\", found 480"),
            ("memory = \"480\"", "found \"480\""), ("memory = \"1e300GiB\"", "found \"1e300GiB\""),
            ("memory_bandwidth = 3e11", "with their unit"), ("memory_bandwidth = \"300Gb/s\"", "found \"300Gb/s\""),
            ("network = \"5us\"", "c.toml:5:11: network: expected latency,bandwidth such as 5us,25gbit"),
            ("network = \"5,25\"", "with a latency in ns, us, ms or s, found '5'"),
            ("network = 5", "network: expected latency,bandwidth"),
            ("local = \"-1us,1gbit\"", "local: expected latency,bandwidth"),
            ("nodes = 2\nnodes = 3", "c.toml:3:"), ("gflop = 3", "c.toml:6:9: unknown key 'gflop'"),
        ])
    func bounds(line: String, expected: String) {
        let key = line.prefix { $0 != " " }
        var lines = Self.good.split(separator: "\n").map(String.init)
        if let index = lines.firstIndex(where: { $0.hasPrefix("\(key) ") }) {
            lines[index] = line
        } else {
            lines.append(line)
        }
        for end in ["\n", "\r\n", "\r"] {
            let error = #expect(throws: SimulationError.self) {
                try ClusterFile.cluster(
                    lines.joined(separator: "\n").replacingOccurrences(of: "\n", with: end), name: "c.toml"
                ) { 50 }
            }
            #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
        }
    }

    @Test("a description with a byte order mark is read, and a link without a limit reads back")
    func variants() throws {
        let text = "\u{feff}" + Self.good.replacingOccurrences(of: "5us,25gbit", with: "5us,unlimited")
        let cluster = try ClusterFile.cluster(text, name: "c.toml") { 50 }
        #expect(cluster.network.bandwidth == .infinity)
        let back = try ClusterFile.cluster(
            ClusterFile.text(cluster, note: "", isNetworkMeasured: true), name: "c.toml"
        ) { 50 }
        #expect(back.network == cluster.network)
    }

    @Test("what no layout could mend is refused before planning, what the layout says doesn't matter")
    func configurations() throws {
        var configuration = RunConfiguration()
        configuration.pipeline.stages = 64
        configuration.pipeline.slice = 7
        configuration.pipeline.shardOptimizer = true
        let open = try configuration.forPlanning()
        #expect(open.pipeline.shardOptimizer && open.gecko.vocabulary == 256)
        for change in [
            { $0.gecko.dim = 2_147_483_647 }, { $0.gecko.heads = 5 }, { $0.gecko.chunk = 100 },
            { $0.data.sequence = 1 << 30 },
        ] as [(inout RunConfiguration) -> Void] {
            var other = configuration
            change(&other)
            if other.data.sequence == 1 << 30 { (other.gecko.emaDim, other.gecko.ffnDim) = (1 << 16, 1 << 21) }
            #expect(throws: ConfigurationError.self) { try other.forPlanning() }
        }
    }

    @Test("a measured cluster's file reads back to the same description")
    func writing() throws {
        let cluster = try Cluster(
            nodes: 3, node: .init(sockets: 2, cores: 8, memory: 64 * 1_073_741_824, memoryBandwidth: 12.5e9),
            core: .init(gflops: 41.25, serialShare: 0.01, overhead: 62.5e-6),
            network: Link(latency: 12.5e-6, bandwidth: 1.25e9),
            local: Link(latency: 2e-6, bandwidth: 5e9))
        let text = ClusterFile.text(cluster, note: "measured", isNetworkMeasured: true)
        let back = try ClusterFile.cluster(text, name: "c.toml") { -1 }
        #expect(
            back.nodes == 3 && back.node.sockets == 2 && back.node.cores == 8 && back.node.memory == cluster.node.memory
        )
        for (a, b) in [
            (back.core.gflops, cluster.core.gflops), (back.core.overhead, cluster.core.overhead),
            (back.core.serialShare, cluster.core.serialShare),
            (back.node.memoryBandwidth, cluster.node.memoryBandwidth), (back.network.latency, cluster.network.latency),
            (back.network.bandwidth, cluster.network.bandwidth), (back.local.bandwidth, cluster.local.bandwidth),
        ] { #expect(abs(a / b - 1) < 1e-9) }
    }

    @Test("the planner's model has the parameters and the arithmetic of the real one")
    func model() {
        var configuration = RunConfiguration()
        configuration.gecko.layers = 3
        let planned = PlannedModel(configuration)
        let section = configuration.gecko
        let (d, z, e, f, n) = (section.dim, section.zDim, section.valueDim, section.ffnDim, section.emaDim)
        let layer = d * d + 3 * d * e + d * z + 3 * d * f + 4 * d * n + 2 * e + 9 * z + 7 * d
        #expect(Int(planned.blocks.layer.parameters) == layer)
        #expect(Int(planned.parameters) == 3 * layer + 2 * 256 * d + 2 * d)
        #expect(Int(planned.blocks.layer.linearFlops) == 2 * (d * d + 3 * d * e + d * z + 3 * d * f))
        #expect(Int(planned.blocks.output.linearFlops) == 2 * 256 * d && planned.blocks.layer.otherFlops > 0)
        let bytes = (planned.bytes(256).layer, planned.bytes(512).layer)
        #expect(bytes.0.stash > Double(4 * 256 * d) && bytes.1.stash > 1.8 * bytes.0.stash)
        #expect(planned.sliceLengths == [128, 256, 512, 1024])
        // Packed once for each direction, padded to whole panels.
        let weights = planned.blocks.layer.linearFlops / 2
        #expect(planned.blocks.layer.packedBytes >= 8 * weights && planned.blocks.layer.packedBytes < 9 * weights)
        #expect(planned.blocks.embedding.packedBytes == 0)
    }

    @Test("the planner counts the parameters that the run has, whatever the model's switches")
    func switches() throws {
        for architecture in Architectures.known.all {
            let chosen = ["--data.path=c.txt", "--model.architecture=\(architecture.name)"]
            let plain = try RunConfiguration.load(file: nil, overrides: chosen)
            for key in plain.keys.all where key.qualifiedName.hasPrefix("model.") {
                guard case .boolean(let value) = key.value(in: plain) else { continue }
                let configuration = try RunConfiguration.load(
                    file: nil, overrides: chosen + ["--\(key.qualifiedName)=\(!value)"])
                let run = try PipelinePlan(configuration.validated(world: nil))
                let what = "\(architecture.name) \(key.qualifiedName)"
                #expect(Int(PlannedModel(configuration).parameters) == run.parameterCount, "\(what)")
            }
        }
    }

    @Test("compressed messages are planned with half the bytes, bfloat16 weights with half the packed memory")
    func smallerFormats() {
        var configuration = RunConfiguration()
        let plain = PlannedModel(configuration)
        configuration.pipeline.compressMessages = true
        configuration.model.precision = .bf16
        let small = PlannedModel(configuration)
        #expect(small.tokenBytes.message == plain.tokenBytes.message / 2)
        #expect(small.tokenBytes.activation == plain.tokenBytes.activation)
        #expect(small.blocks.layer.packedBytes == plain.blocks.layer.packedBytes / 2)
    }
}
