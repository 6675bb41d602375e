import Schedules
import Simulation
import Testing

struct CostMeasurementTests {
    private static let bytes = CostMeasurement.StageBytes(unit: 100, weightUnit: 140, light: 10, resident: 1000)

    /// Costs that differ from stage to stage and kind to kind.
    private static func simulation(_ schedule: String, recompute: Bool = false, message: Double = 2e-4) throws
        -> Simulation
    {
        var table = try makeTable(schedule, ranks: 2, sequences: 3, slices: 2)
        if recompute { table = table.withRecompute() }
        let stages = (0..<table.shape.stages).map { stage in
            let scale = 1e-3 * Double(stage + 1)
            return StageCosts(
                forward: scale, backwardInput: 1.3 * scale, backwardWeight: 0.6 * scale, backward: 1.7 * scale,
                recompute: 1.1 * scale)
        }
        return try Simulation(
            table, costs: Costs(shape: table.shape, stages: stages, closing: [3e-3]),
            network: Network(uniform: Link(latency: message)))
    }

    private static func measure(_ simulation: Simulation, steps: Int = 3) throws -> CostMeasurement {
        try CostMeasurement([RecordedSteps(simulation.madeUpRecord(steps: steps, begin: 1e-3), of: simulation.table)])
    }

    @Test(
        "a step's costs come back from its trace",
        arguments: [("1f1b", false), ("1f1b", true), ("zb-h1", false), ("zbv", false), ("interleaved", true)],
        [1, 2, 5])
    func recovers(schedule: (name: String, recompute: Bool), steps: Int) throws {
        let simulation = try Self.simulation(schedule.name, recompute: schedule.recompute)
        let measurement = try Self.measure(simulation, steps: steps)
        for (stage, times) in measurement.times.enumerated() {
            let kinds = Set(simulation.table.rows.joined().map(\.kind))
            #expect(Set(times.keys) == kinds)
            for (kind, time) in times {
                #expect(abs(time - simulation.costs.stages[stage].duration(kind)) < 1e-9)
            }
        }
        #expect(abs(measurement.rest - 4e-3) < 1e-9)
        #expect(abs((measurement.transfer ?? 0) - 2e-4) < 1e-9)
        #expect(measurement.steps == steps)
        #expect(abs(measurement.stepTime - simulation.makespan - 1e-3) < 1e-9)
        #expect(measurement.disturbance == nil)
    }

    @Test("what a file of measured costs predicts is what was measured", arguments: ["1f1b", "zb-h1", "zbv"])
    func roundTrip(schedule: String) throws {
        let simulation = try Self.simulation(schedule)
        var measurement = try Self.measure(simulation)
        measurement.fill(from: try Self.measure(Self.simulation(schedule, recompute: true)))
        let stages = simulation.table.shape.stages
        let file = try measurement.file(
            bytes: [CostMeasurement.StageBytes](repeating: Self.bytes, count: stages), messageBytes: 4096,
            note: "made up \"here\"")
        let back = try CostFile(json: file.json)
        #expect(back.note == "made up \"here\"" && back.messageBytes == [4096])
        #expect(back.stages.allSatisfy { $0.unitBytes == 100 && $0.weightUnitBytes == 140 && $0.lightBytes == 10 })
        for stage in 0..<stages {
            #expect(abs(back.stages[stage].recompute - 1.1e-3 * Double(stage + 1)) < 1e-9)
        }
        let predicted = try Simulation(
            simulation.table, costs: back.costs(for: simulation.table.shape),
            network: Network(uniform: #require(back.link)))
        #expect(abs(predicted.makespan - measurement.stepTime) < 1e-8)
    }

    @Test("medians over steps keep one slow step out, but units that differ count in full")
    func robust() throws {
        let simulation = try Self.simulation("1f1b")
        var timeline = simulation.madeUpRecord(steps: 3)
        for i in timeline.spans.indices {
            guard case .action(let action) = timeline.spans[i].content, action.kind == .forward else { continue }
            // In the middle step everything is slow; at stage 0 the first slice is always quicker.
            let isMiddle =
                timeline.spans[i].start > 5 + simulation.makespan
                && timeline.spans[i].start < 5 + 2 * simulation.makespan + 0.02
            if action.stage == 0, action.slice == 0 { timeline.spans[i].duration *= 0.5 }
            if isMiddle { timeline.spans[i].duration *= 3 }
        }
        let measurement = try CostMeasurement([RecordedSteps(timeline, of: simulation.table)])
        #expect(abs((measurement.times[0][.forward] ?? 0) - 0.75e-3) < 1e-9)
        #expect(abs((measurement.times[1][.forward] ?? 0) - 2e-3) < 1e-9)
    }

    @Test("without shared cores the processor time tells of disturbance only")
    func disturbance() throws {
        let simulation = try Self.simulation("1f1b")
        var timeline = simulation.madeUpRecord(steps: 3)
        for i in timeline.spans.indices { timeline.spans[i].processorTime = timeline.spans[i].duration * 0.8 }
        let measurement = try CostMeasurement([RecordedSteps(timeline, of: simulation.table)])
        #expect(abs((measurement.times[1][.forward] ?? 0) - 2e-3) < 1e-9)
        #expect(abs((measurement.disturbance ?? 0) - 0.25) < 1e-9)
        #expect(measurement.sharedCores.isEmpty)
    }

    @Test("costs of ranks that share a core come back from its trace", arguments: [1.0, 0.8])
    func sharedCore(efficiency: Double) throws {
        var costs = try Self.simulation("1f1b").costs
        costs.sharedCores = [SharedCores(ranks: [0, 1], cores: efficiency)]
        let table = try makeTable("1f1b", ranks: 2, sequences: 3, slices: 2)
        let simulation = try Simulation(table, costs: costs, network: Network(uniform: Link(latency: 2e-4)))
        var timeline = simulation.madeUpRecord(steps: 3)
        let whole = [SharedCores(ranks: [0, 1], cores: 1)]
        #expect(throws: SimulationError.self) {
            try CostMeasurement([RecordedSteps(timeline, of: table)], sharedCores: whole)
        }
        // An action's processor time is what it takes alone, however long it took here.
        for i in timeline.spans.indices {
            guard case .action(let action) = timeline.spans[i].content else { continue }
            timeline.spans[i].processorTime = costs.stages[action.stage].duration(action.kind)
        }
        let measurement = try CostMeasurement([RecordedSteps(timeline, of: table)], sharedCores: whole)
        #expect(abs((measurement.times[0][.forward] ?? 0) - 1e-3) < 1e-9)
        #expect(abs((measurement.times[1][.backward] ?? 0) - 3.4e-3) < 1e-9)
        #expect(abs(measurement.sharedCores[0].cores - efficiency) < 1e-6)
        #expect(measurement.disturbance == nil)
        let file = try measurement.file(bytes: [Self.bytes, Self.bytes], messageBytes: 1, note: "")
        let back = try CostFile(json: file.json)
        let predicted = try Simulation(
            table, costs: back.costs(for: table.shape), network: Network(uniform: #require(back.link)))
        #expect(abs(predicted.makespan / simulation.makespan - 1) < 1e-6)
    }

    @Test("a warm-up that is dropped leaves nothing to measure in a run of one step")
    func warmUp() throws {
        let simulation = try Self.simulation("1f1b")
        let steps = try RecordedSteps(simulation.madeUpRecord(steps: 1), of: simulation.table).dropping(first: 1)
        #expect(throws: SimulationError.self) { try CostMeasurement([steps]) }
    }

    @Test("halves of a backward that nobody measured are not made up")
    func halves() throws {
        let simulation = try Self.simulation("1f1b")
        let file = try Self.measure(simulation).file(
            bytes: [Self.bytes, Self.bytes], messageBytes: 1, note: "")
        #expect(!file.json.contains("backward_input"))
        let back = try CostFile(json: file.json)
        #expect(back == file || back.stages.allSatisfy(\.lacksHalves))
        let shape = simulation.table.shape
        #expect(throws: Never.self) { try Simulation(simulation.table, costs: back.costs(for: shape)) }
        let error = #expect(throws: SimulationError.self) {
            try Simulation(simulation.table.splittingWeightGradients(), costs: back.costs(for: shape))
        }
        #expect(error.map { "\($0)".contains("gecko profile") } == true)
        #expect(throws: SimulationError.self) {
            try CostFile(
                json: """
                    {"format": "gecko-costs 1", "stages": [{"forward": 1, "backward": 2, "backward_input": 1}]}
                    """)
        }
    }

    @Test("replicas of one pipeline are cut apart and measured together")
    func replicas() throws {
        let simulation = try Self.simulation("1f1b")
        let one = simulation.madeUpRecord(steps: 2)
        var world = Timeline(title: "", ranks: 4, spans: one.spans, arrows: one.arrows)
        for span in one.spans {
            var other = span
            other.rank += 2
            other.duration *= 1.2
            world.spans.append(other)
        }
        for arrow in one.arrows {
            var other = arrow
            other.fromRank += 2
            other.toRank += 2
            world.arrows.append(other)
        }
        #expect(world.replica(0, ranks: 2).spans == one.spans)
        #expect(world.replica(1, ranks: 2).arrows == one.arrows)
        let replicas = try (0..<2).map { try RecordedSteps(world.replica($0, ranks: 2), of: simulation.table) }
        let measurement = try CostMeasurement(replicas)
        #expect(abs((measurement.times[0][.forward] ?? 0) - 1.1e-3) < 1e-9)
    }
}

struct SharedCoreGroupTests {
    @Test("ranks with cores of their own share none")
    func own() {
        #expect(SharedCores.groups(cores: [[0], [1]], pipelineRanks: 2).isEmpty)
        #expect(SharedCores.groups(cores: [[0, 1], [2, 3]], pipelineRanks: 2).isEmpty)
    }

    @Test("ranks pinned to one core are a group of it")
    func pinned() {
        let groups = SharedCores.groups(cores: [[0], [0], [1], [1]], pipelineRanks: 4)
        #expect(groups == [SharedCores(ranks: [0, 1], cores: 1), SharedCores(ranks: [2, 3], cores: 1)])
        let mixed = SharedCores.groups(cores: [[0], [1], [0]], pipelineRanks: 3)
        #expect(mixed == [SharedCores(ranks: [0, 2], cores: 1)])
    }

    @Test("ranks of several threads need as many cores each")
    func threads() {
        let groups = SharedCores.groups(cores: [[0, 1], [1, 2], [0, 2]], pipelineRanks: 3)
        #expect(groups == [SharedCores(ranks: [0, 1, 2], cores: 1.5)])
    }

    @Test("other replicas take their part of the cores")
    func replicas() {
        let groups = SharedCores.groups(cores: [[0], [0], [0], [0]], pipelineRanks: 2)
        #expect(groups == [SharedCores(ranks: [0, 1], cores: 0.5)])
    }
}
