import Schedules
import Simulation
import Testing

struct ClusterFitTests {
    private static func model(
        layers: Int, flops: Double, chunk: Int, sequence: Int, batch: Int
    ) -> PlannedModel {
        PlannedModel(
            layers: layers,
            blocks: .init(
                layer: .init(parameters: 0, linearFlops: flops, otherFlops: 0),
                embedding: .init(parameters: 0, linearFlops: 0, otherFlops: 0),
                output: .init(parameters: 0, linearFlops: 0, otherFlops: 0)), chunk: chunk,
            step: .init(sequence: sequence, batch: batch), tokenBytes: .init(activation: 0, message: 0)
        ) { _ in
            let none = PlannedModel.SliceBytes(stash: 0, gradientStash: 0, state: 0, workspace: 0)
            return .init(layer: none, embedding: none, output: none)
        }
    }

    private static func cluster(nodes: Int, gflops: Double, overhead: Double) throws -> Cluster {
        try Cluster(
            nodes: nodes, node: .init(cores: 1, memory: 1e12), core: .init(gflops: gflops, overhead: overhead),
            network: Link(latency: 0))
    }

    private static func samples(
        speed: Double, overhead: Double, noise: Double = 0, seed: UInt64 = 1
    ) -> [ClusterFit.Sample] {
        var random = SeededGenerator(seed: seed)
        return [16, 32, 64, 128, 256, 512].flatMap { slice in
            [(2, 3e5), (3, 4e5)].map { layers, flops in
                let time = 3 * (flops * Double(slice) / speed + Double(layers) * overhead)
                return ClusterFit.Sample(
                    flopsPerToken: flops, layers: layers, slice: slice,
                    time: time * (1 + noise * .random(in: -1...1, using: &random)))
            }
        }
    }

    @Test("speed and overhead come back from times that were made with them, also disturbed ones")
    func fit() throws {
        let exact = try ClusterFit(Self.samples(speed: 3e10, overhead: 8e-5))
        #expect(abs(exact.speed / 3e10 - 1) < 1e-9 && abs(exact.overhead / 8e-5 - 1) < 1e-9)
        #expect(exact.largestError < 1e-9)
        let noisy = try ClusterFit(Self.samples(speed: 3e10, overhead: 8e-5, noise: 0.05))
        #expect(abs(noisy.speed / 3e10 - 1) < 0.05 && abs(noisy.overhead / 8e-5 - 1) < 0.1)
        #expect(noisy.largestError > 0.01 && noisy.largestError < 0.1)
    }

    @Test("an overhead below nothing counts as none, and one slice length is not enough")
    func limits() throws {
        let superlinear = [16, 64, 256].map {
            ClusterFit.Sample(flopsPerToken: 1e6, layers: 2, slice: $0, time: 1e-6 * Double($0 * $0))
        }
        #expect(try ClusterFit(superlinear).overhead == 0)
        let one = Self.samples(speed: 1e10, overhead: 0).filter { $0.slice == 64 }
        #expect(throws: SimulationError.self) { try ClusterFit(one) }
        #expect(throws: SimulationError.self) { try ClusterFit([]) }
    }

    @Test("a link's latency and bandwidth come back from messages of several sizes")
    func link() throws {
        let messages = [1000, 20_000, 300_000].map { (bytes: $0, time: 5e-5 + Double($0) / 1e9) }
        let link = try #require(Link(messages))
        #expect(abs(link.latency - 5e-5) < 1e-12 && abs(link.bandwidth / 1e9 - 1) < 1e-9)
        #expect(Link([]) == nil)
        #expect(Link([(bytes: 10, time: 1e-3)]) == Link(latency: 1e-3))
        // Times that fall with the size are all latency.
        #expect(Link([(bytes: 10, time: 2e-3), (bytes: 1000, time: 1e-3)])?.bandwidth == .infinity)
    }

    /// TeraPipe (arXiv 2102.07988) on 175 billion parameters: seconds of an iteration by the number of equal slices of
    /// 2,048 tokens.
    private static let teraPipe = [
        1: 9.990, 4: 2.902, 8: 1.892, 16: 1.547, 32: 1.593, 64: 2.227, 128: 3.252,
    ]

    @Test(
        "fed with TeraPipe's ends, the plan's U has TeraPipe's shape, and its choice is within 5 % of TeraPipe's best")
    func teraPipe() throws {
        // 96 stages and 2 sequences: n slices take (2n + 95) times what one takes on a stage, arithmetic / n +
        // overhead.
        let whole = try #require(Self.teraPipe[1]) / 97
        let short = try #require(Self.teraPipe[128]) / 351
        let arithmetic = (whole - short) / (1 - 1.0 / 128)
        let overhead = whole - arithmetic
        let fit = try ClusterFit(
            [1, 128].map { slices in
                ClusterFit.Sample(
                    flopsPerToken: 1e6, layers: 1, slice: 2048 / slices, time: arithmetic / Double(slices) + overhead)
            })
        var choice = PlanChoice()
        choice.stages = 96
        choice.schedule = "1f1b"
        choice.recompute = false
        let runs = try Planner(
            cluster: Self.cluster(nodes: 96, gflops: fit.speed / 1e9, overhead: fit.overhead),
            model: Self.model(layers: 96, flops: 1e6, chunk: 16, sequence: 2048, batch: 2), choice: choice
        ).plan()
        let planned = Dictionary(uniqueKeysWithValues: runs.map { (2048 / $0.candidate.slice, $0.stepTime) })
        #expect(planned.count == 8)
        for (slices, published) in Self.teraPipe {
            let time = try #require(planned[slices])
            #expect(abs(time / published - 1) < 0.25, "\(slices) slices: \(time) s for \(published) s")
        }
        let times = planned.sorted { $0.key < $1.key }.map(\.value)
        let least = try #require(times.indices.min { times[$0] < times[$1] })
        #expect(zip(times[...least], times[...least].dropFirst()).allSatisfy { $0 > $1 })
        #expect(zip(times[least...], times[least...].dropFirst()).allSatisfy { $0 < $1 })
        let chosen = try #require(Self.teraPipe[2048 / runs[0].candidate.slice])
        let best = try #require(Self.teraPipe.values.min())
        #expect(chosen <= 1.05 * best)
    }

    @Test("a plan searches only what is left open, and says when that leaves nothing")
    func choice() throws {
        let cluster = try Self.cluster(nodes: 4, gflops: 50, overhead: 1e-4)
        let model = Self.model(layers: 8, flops: 1e8, chunk: 128, sequence: 1024, batch: 8)
        var choice = PlanChoice()
        choice.stages = 2
        choice.schedule = "zb-h1"
        choice.slice = 256
        choice.recompute = false
        let runs = try Planner(cluster: cluster, model: model, choice: choice).plan()
        #expect(runs.count == 1)
        #expect(runs.allSatisfy { $0.candidate.stages == 2 && $0.candidate.schedule == "zb-h1" })
        choice.slice = 100
        let error = #expect(throws: SimulationError.self) {
            try Planner(cluster: cluster, model: model, choice: choice).plan()
        }
        #expect(error?.description.contains("2 stages, slices of 100, schedule zb-h1, no recompute") ?? false)
    }

    @Test("the report shows the step over every slice length of the best layout")
    func slices() throws {
        let cluster = try Self.cluster(nodes: 4, gflops: 50, overhead: 1e-3)
        let model = Self.model(layers: 8, flops: 1e8, chunk: 128, sequence: 2048, batch: 2)
        var choice = PlanChoice()
        choice.stages = 4
        let runs = try Planner(cluster: cluster, model: model, choice: choice).plan()
        let report = PlanReport(cluster: cluster, model: model, runs: runs)
        let best = try #require(report.best)
        let row = runs.filter { $0.candidate == best.candidate || $0.candidate.differsBySlice(from: best.candidate) }
        #expect(row.count == 5 && row.allSatisfy { $0.outcome == .simulated || $0.outcome == .estimated })
        #expect(report.text(best: 1).contains("The same with other slices:\n  slice  units"))
        #expect(report.json(best: 1).contains("\"slices\": [{\"slice\": 128, \"step_time\": "))
    }
}
