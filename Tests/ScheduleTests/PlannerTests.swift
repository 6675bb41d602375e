import Schedules
import Simulation
import Testing

struct PlannerTests {
    private static func model(batch: Int = 64, sequence: Int = 8192, layers: Int = 24) -> PlannedModel {
        PlannedModel(
            layers: layers,
            blocks: .init(
                layer: .init(parameters: 12e6, linearFlops: 24e6, otherFlops: 4e6),
                embedding: .init(parameters: 32e6, linearFlops: 0, otherFlops: 0),
                output: .init(parameters: 32e6, linearFlops: 64e6, otherFlops: 0)), chunk: 128,
            step: .init(sequence: sequence, batch: batch), tokenBytes: .init(activation: 4096, message: 4096)
        ) { slice in
            let tokens = Double(slice)
            let layer = PlannedModel.SliceBytes(
                stash: 60_000 * tokens, gradientStash: 20_000 * tokens, state: 1e6, workspace: 10_000 * tokens)
            let none = PlannedModel.SliceBytes(stash: 0, gradientStash: 0, state: 0, workspace: 0)
            return .init(
                layer: layer, embedding: none,
                output: .init(stash: 8000 * tokens, gradientStash: 0, state: 0, workspace: 8000 * tokens))
        }
    }

    private static func cluster(
        nodes: Int = 8, cores: Int = 16, memory: Double = 64e9, overhead: Double = 200e-6
    ) throws -> Cluster {
        try Cluster(
            nodes: nodes, node: .init(cores: cores, memory: memory), core: .init(gflops: 50, overhead: overhead),
            network: Link(latency: 20e-6, bandwidth: 1.25e9))
    }

    private static func plan(_ cluster: Cluster, _ model: PlannedModel) throws -> [PlannedRun] {
        try Planner(cluster: cluster, model: model).plan()
    }

    private static func isFeasible(_ run: PlannedRun) -> Bool { run.outcome == .simulated || run.outcome == .estimated }

    @Test("the best comes first, and what is bounded out could not have been better")
    func order() throws {
        let runs = try Self.plan(Self.cluster(), Self.model())
        let feasible = runs.filter(Self.isFeasible)
        let best = try #require(feasible.first)
        #expect(runs.count > 200 && best.outcome == .simulated)
        #expect(zip(feasible, feasible.dropFirst()).allSatisfy { $0.stepTime <= $1.stepTime })
        #expect(runs.filter { $0.outcome == .boundedOut }.allSatisfy { $0.stepTime >= best.stepTime })
        #expect(feasible.allSatisfy { $0.memory <= 64e9 / Double($0.candidate.ranksPerNode) })
        #expect(Set(runs.map(\.candidate)).count == runs.count)
        for run in runs {
            let candidate = run.candidate
            #expect(candidate.stages * candidate.replicas == 8 * candidate.ranksPerNode)
            #expect(run.layers.reduce(0, +) == 24 && run.layers.allSatisfy { $0 >= 1 })
            #expect(run.layers.count == candidate.stages * candidate.virtualStages)
        }
    }

    @Test("the step time over the slice length is a U: overhead of short slices against bubbles of long ones")
    func slices() throws {
        let runs = try Self.plan(Self.cluster(nodes: 8, cores: 1, memory: 1e12, overhead: 0.1), Self.model(batch: 1))
        let times = runs.filter {
            $0.candidate.stages == 8 && $0.candidate.schedule == "1f1b" && !$0.candidate.recompute
                && $0.outcome != .tooLarge
        }.sorted { $0.candidate.slice < $1.candidate.slice }.map(\.stepTime)
        #expect(times.count == 7)
        let least = try #require(times.indices.min { times[$0] < times[$1] })
        #expect(least > 0 && least < times.count - 1)
        #expect(zip(times[...least], times[...least].dropFirst()).allSatisfy { $0 > $1 })
        #expect(zip(times[least...], times[least...].dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("estimates from short steps agree with full simulations")
    func estimates() throws {
        for schedule in ["1f1b", "zb-h1", "zb-h2", "interleaved", "zbv"] {
            let cluster = try Self.cluster(nodes: 4, cores: 1, memory: 1e12)
            func time(batch: Int) throws -> [PlannedRun] {
                try Self.plan(cluster, Self.model(batch: batch, sequence: 1024)).filter {
                    $0.candidate.stages == 4 && $0.candidate.schedule == schedule && $0.candidate.slice == 512
                        && !$0.candidate.recompute && Self.isFeasible($0)
                }
            }
            // Where a long step was estimated, a still longer one must lie on the same line.
            let runs = try [40, 80, 120].map { try time(batch: $0).first }
            guard let a = runs[0], let b = runs[1], let c = runs[2] else { continue }
            #expect(abs((c.stepTime - b.stepTime) / (b.stepTime - a.stepTime) - 1) < 0.02, "\(schedule)")
        }
    }

    @Test("with less memory other layouts win, and with too little none does")
    func memory() throws {
        let roomy = try Self.plan(Self.cluster(memory: 200e9), Self.model())
        let tight = try Self.plan(Self.cluster(memory: 16e9), Self.model())
        func best(_ runs: [PlannedRun]) throws -> PlannedRun { try #require(runs.first(where: Self.isFeasible)) }
        #expect(try best(tight).stepTime > best(roomy).stepTime)
        #expect(tight.filter { $0.outcome == .tooLarge }.count > roomy.filter { $0.outcome == .tooLarge }.count)
        let none = try Self.plan(Self.cluster(memory: 1e9), Self.model())
        #expect(none.allSatisfy { $0.outcome == .tooLarge })
        let report = PlanReport(cluster: try Self.cluster(memory: 1e9), model: Self.model(), runs: none)
        #expect(report.best == nil && report.text(best: 3).contains("No layout fits"))
    }

    @Test("an optimizer that is shared out takes its moments off all ranks but one share, in whole tensors")
    func sharedOptimizer() throws {
        var model = Self.model()
        model.blocks.layer.largestTensor = 2e6
        model.blocks.embedding.largestTensor = 32e6
        model.blocks.output.largestTensor = 32e6
        let cluster = try Self.cluster()
        let whole = model
        model.shardsOptimizer = true
        for ranksPerNode in [1, 2] {
            let candidate = PlanCandidate(
                ranksPerNode: ranksPerNode, threads: 16 / ranksPerNode, stages: 1, virtualStages: 1,
                replicas: 8 * ranksPerNode, slice: 1024, schedule: "1f1b", recompute: true)
            let before = try #require(try Planner(cluster: cluster, model: whole).run(candidate))
            let run = try #require(try Planner(cluster: cluster, model: model).run(candidate))
            #expect(Self.isFeasible(before) && Self.isFeasible(run))
            let updated = max(model.parameters / Double(candidate.replicas), 32e6)
            #expect(abs(before.memory - run.memory - 8 * (model.parameters - updated)) < 10)
            #expect(abs(run.optimizerTime / before.optimizerTime - updated / model.parameters) < 1e-9)
            #expect(run.syncTime >= before.syncTime)
        }
    }

    @Test("a batch that no number of replicas divides is refused with what to change")
    func impossible() throws {
        let model = Self.model(batch: 7, layers: 2)
        let error = #expect(throws: SimulationError.self) { try Self.plan(Self.cluster(nodes: 11, cores: 1), model) }
        #expect(error?.description.contains("batch of 7") ?? false)
        #expect(throws: SimulationError.self) { try Self.cluster(nodes: 0) }
        #expect(throws: SimulationError.self) { try Self.cluster(memory: -1) }
    }

    @Test("the planner searches what the registry says, and takes any of its schedules by name")
    func registry() throws {
        #expect(Planner.schedules == ScheduleRegistry.all.map(\.name))
        let searched = Set(try Self.plan(Self.cluster(), Self.model()).map(\.candidate.schedule))
        #expect(searched == Set(ScheduleRegistry.all.filter(\.isPlanned).map(\.name)))
        for generator in ScheduleRegistry.all {
            var choice = PlanChoice()
            choice.schedule = generator.name
            choice.stages = 2
            let runs = try Planner(cluster: Self.cluster(memory: 1e12), model: Self.model(), choice: choice).plan()
            let best = try #require(runs.first)
            #expect(best.outcome == .simulated && best.candidate.virtualStages == generator.layout.stagesPerRank)
            let table = try generator.make(ScheduleRequest(ranks: 4, sequences: 3, slices: 2))
            #expect(table.shape.placement == generator.layout.placement(ranks: 4))
        }
    }

    @Test("a schedule whose memory grows with the sequences is estimated with the memory of the whole step")
    func growingMemory() throws {
        var choice = PlanChoice()
        choice.schedule = "all-forward-all-backward"
        (choice.stages, choice.replicas, choice.recompute, choice.slice) = (8, 1, false, 8192)
        let runs = try Planner(
            cluster: Self.cluster(nodes: 8, cores: 1, memory: 1e15), model: Self.model(batch: 200_000), choice: choice
        ).plan()
        let run = try #require(runs.first)
        // A rank holds every unit of three layers; at least the activations of them all.
        #expect(run.outcome == .estimated && run.memory > 200_000 * 3 * 60_000 * 8192)
    }

    @Test(
        """
        very large clusters and models are planned for, and layouts that are too large to simulate are left out \
        and counted
        """
    )
    func limits() throws {
        let wide = try Self.plan(Self.cluster(nodes: 100_000, cores: 8, memory: 128e9), Self.model(batch: 100_000))
        #expect(wide.contains(where: Self.isFeasible))
        let cluster = try Self.cluster(nodes: 10_000, cores: 1, memory: 1e15)
        let model = Self.model(batch: 10_000, layers: 10_000)
        for (stages, isSimulated) in [(100, true), (5000, false)] {
            var choice = PlanChoice()
            (choice.schedule, choice.stages, choice.slice, choice.recompute) = ("1f1b", stages, 8192, true)
            let runs = try Planner(cluster: cluster, model: model, choice: choice).plan()
            // The best ones are simulated in full.
            #expect(runs.map(\.outcome) == [isSimulated ? .simulated : .tooLong])
            let text = PlanReport(cluster: cluster, model: model, runs: runs).text(best: 3)
            #expect(
                text.contains("and 1 left out") == !isSimulated
                    && text.contains("No layout was simulated") == !isSimulated)
        }
        for layers in [100_001, Int.max] {
            let error = #expect(throws: SimulationError.self) {
                try Self.plan(Self.cluster(), Self.model(layers: layers))
            }
            #expect(error?.description.contains("at most 100000 layers") ?? false)
        }
        for (nodes, cores) in [(1_000_001, 1), (Int.max, 1), (1, Int.max), (1, 65_537)] {
            #expect(throws: SimulationError.self) { try Self.cluster(nodes: nodes, cores: cores) }
        }
    }

    @Test("more than 500 layouts of 1,024 ranks and more are planned within seconds")
    func large() throws {
        let cluster = try Self.cluster(nodes: 1024, cores: 8, memory: 128e9)
        let clock = ContinuousClock()
        var runs: [PlannedRun] = []
        let time = try clock.measure { runs = try Self.plan(cluster, Self.model(batch: 4096)) }
        #expect(runs.count >= 500)
        #expect(runs.allSatisfy { $0.candidate.stages * $0.candidate.replicas >= 1024 })
        #expect(time < .seconds(60))
        let report = PlanReport(cluster: cluster, model: Self.model(batch: 4096), runs: runs).text(best: 5)
        #expect(report.contains("Why others lose"))
    }
}
