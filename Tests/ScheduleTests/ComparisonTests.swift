import Schedules
import Simulation
import Testing

struct ComparisonTests {
    private static func simulation(forward: Double = 1e-3, message: Double = 0) throws -> Simulation {
        try simulate(
            makeTable("zb-h1", ranks: 3, sequences: 3, slices: 2), forward: forward, input: 1e-3, weight: 0.5e-3,
            message: message)
    }

    @Test("a trace reads back to its spans and arrows")
    func reading() throws {
        var timeline = try Self.simulation(message: 1e-4).madeUpRecord(steps: 2)
        for i in timeline.spans.indices { timeline.spans[i].processorTime = timeline.spans[i].duration / 2 }
        let back = try PerfettoTrace.timeline(json: PerfettoTrace(timeline).text)
        #expect(back.ranks == timeline.ranks && back.spans.count == timeline.spans.count)
        #expect(back.title == timeline.title)
        for (a, b) in zip(timeline.spans, back.spans) {
            #expect(a.rank == b.rank && a.lane == b.lane && a.content == b.content)
            #expect(abs(a.start - b.start) < 1e-9 && abs(a.duration - b.duration) < 1e-9)
            #expect(abs((a.processorTime ?? 0) - (b.processorTime ?? -1)) < 1e-9)
        }
        #expect(!timeline.arrows.isEmpty && back.arrows.count == timeline.arrows.count)
        for (a, b) in zip(timeline.arrows, back.arrows) {
            #expect(a.fromRank == b.fromRank && a.toRank == b.toRank && a.bytes == b.bytes && a.action == b.action)
            #expect(abs(a.departure - b.departure) < 1e-9 && abs(a.arrival - b.arrival) < 1e-9)
        }
        for text in [
            "", "[]", "{\"traceEvents\": [{}]}", "{\"traceEvents\": [{\"pid\": 0, \"ph\": \"X\"}]}",
            "{\"traceEvents\": [{\"pid\": 0, \"ph\": \"s\", \"id\": 1}]}",
            "{\"traceEvents\": [{\"pid\": 0, \"ph\": \"f\", \"id\": 1}]}",
        ] {
            #expect(throws: SimulationError.self) { try PerfettoTrace.timeline(json: text) }
        }
    }

    @Test("a prediction is exact against its own timeline, whatever lies between steps", arguments: [0, 2e-4])
    func exact(message: Double) throws {
        let simulation = try Self.simulation(message: message)
        let comparison = try StepComparison(simulation, recorded: simulation.madeUpRecord(steps: 3))
        #expect(comparison.steps == 3 && abs(comparison.step.error) < 1e-9)
        #expect(abs(comparison.worstStart.time.predicted - comparison.worstStart.time.recorded) < 1e-9)
        #expect(abs(comparison.exposed.predicted - comparison.exposed.recorded) < 1e-9)
        for idle in comparison.idle { #expect(abs(idle.predicted - idle.recorded) < 1e-9) }
        // Messages that take no time can't be hidden; others delay the start of the last rank at least.
        #expect((comparison.hidden == nil) == (message == 0))
        #expect((comparison.exposed.predicted > 0) == (message > 0))
    }

    @Test("a wrong prediction shows its error and the actions that are off most")
    func off() throws {
        let truth = try Self.simulation(forward: 1.5e-3)
        let guess = try Self.simulation()
        let comparison = try StepComparison(guess, recorded: truth.madeUpRecord(steps: 2))
        #expect(abs(comparison.step.error - (guess.makespan / truth.makespan - 1)) < 1e-9)
        #expect(comparison.worstDuration.action.kind == .forward)
        #expect(abs(comparison.worstDuration.time.recorded - 1.5e-3) < 1e-9)
        // The later an action, the more its start is off.
        #expect(comparison.worstStart.time.recorded - comparison.worstStart.time.predicted > 2e-3)
        let forward = comparison.entries.filter { $0.kind == .forward }
        #expect(forward.count == 3 && forward.allSatisfy { abs($0.time.recorded - 1.5e-3) < 1e-9 })
        #expect(comparison.text.contains("worst action: F"))
        #expect(comparison.json.contains("\"worst_start\": {\"action\": "))
    }

    @Test("one slow step doesn't move the medians, but it is shown")
    func slowStep() throws {
        let simulation = try Self.simulation()
        var timeline = simulation.madeUpRecord(steps: 3)
        // The last step takes three times as long.
        let start = timeline.spans.map(\.start).max().map { $0 - simulation.makespan } ?? 0
        for i in timeline.spans.indices where timeline.spans[i].start >= start {
            timeline.spans[i].start = start + 3 * (timeline.spans[i].start - start)
            timeline.spans[i].duration *= 3
        }
        let comparison = try StepComparison(simulation, recorded: timeline)
        #expect(abs(comparison.step.error) < 1e-9)
        #expect(comparison.stepRange.upperBound > 2 * comparison.stepRange.lowerBound)
    }

    @Test("the rest of a step is shown apart from its table")
    func rest() throws {
        let table = try makeTable("1f1b", ranks: 2, sequences: 2, slices: 2)
        let costs = try Costs(
            shape: table.shape, stages: [StageCosts(forward: 1e-3, backwardInput: 1e-3, backwardWeight: 1e-3)],
            closing: [4e-3])
        let simulation = try Simulation(table, costs: costs)
        let comparison = try StepComparison(simulation, recorded: simulation.madeUpRecord(steps: 2, begin: 1e-3))
        #expect(abs(comparison.rest.predicted - 4e-3) < 1e-9)
        #expect(abs(comparison.rest.recorded - 5e-3) < 1e-9)
        #expect(abs(comparison.table.error) < 1e-9)
        #expect(abs(comparison.step.recorded - comparison.step.predicted - 1e-3) < 1e-9)
    }

    @Test("a trace of another schedule is refused")
    func foreign() throws {
        let simulation = try Self.simulation()
        var timeline = simulation.madeUpRecord(steps: 2)
        timeline.spans.remove(at: 0)
        #expect(throws: SimulationError.self) { try StepComparison(simulation, recorded: timeline) }
        let other = try simulate(makeTable("1f1b", ranks: 2, sequences: 3, slices: 2)).timeline(title: "")
        #expect(throws: SimulationError.self) { try StepComparison(simulation, recorded: other) }
        #expect(throws: SimulationError.self) {
            try StepComparison(simulation, recorded: Timeline(title: "", ranks: 3))
        }
    }

    @Test("a step that only some ranks have is refused")
    func ragged() throws {
        let simulation = try Self.simulation()
        var timeline = simulation.madeUpRecord(steps: 2)
        let cut = timeline.spans.filter { $0.rank == 2 }.map(\.start).sorted()
        let second = cut[cut.count / 2]
        timeline.spans.removeAll { $0.rank == 2 && $0.start >= second }
        let error = #expect(throws: SimulationError.self) { try StepComparison(simulation, recorded: timeline) }
        #expect(error.map { "\($0)".contains("rank 2") } == true)
    }
}
