import Schedules
import Simulation
import Testing

struct ComparisonTests {
    private static func simulation(forward: Double = 1e-3) throws -> Simulation {
        try simulate(
            makeTable("zb-h1", ranks: 3, sequences: 3, slices: 2), forward: forward, input: 1e-3, weight: 0.5e-3)
    }

    /// The simulation's timeline `steps` times over, with the given gap between steps and an evaluation in it.
    private static func recorded(_ simulation: Simulation, steps: Int) -> Timeline {
        let once = simulation.timeline(title: "step")
        var timeline = once
        timeline.spans = []
        for step in 0..<steps {
            let offset = 5 + Double(step) * (simulation.makespan + 0.01)
            for var span in once.spans {
                span.start += offset
                timeline.spans.append(span)
            }
            timeline.spans.append(
                Timeline.Span(
                    rank: 0, content: .label("evaluate"), start: offset + simulation.makespan, duration: 0.01))
        }
        return timeline
    }

    @Test("a trace reads back to its spans")
    func reading() throws {
        let timeline = Self.recorded(try Self.simulation(), steps: 2)
        let back = try PerfettoTrace.timeline(json: PerfettoTrace(timeline).text)
        #expect(back.ranks == timeline.ranks && back.spans.count == timeline.spans.count && back.title == "step")
        for (a, b) in zip(timeline.spans, back.spans) {
            #expect(a.rank == b.rank && a.lane == b.lane && a.content == b.content)
            #expect(abs(a.start - b.start) < 1e-9 && abs(a.duration - b.duration) < 1e-9)
        }
        for text in ["", "[]", "{\"traceEvents\": [{}]}", "{\"traceEvents\": [{\"pid\": 0, \"ph\": \"X\"}]}"] {
            #expect(throws: SimulationError.self) { try PerfettoTrace.timeline(json: text) }
        }
    }

    @Test("a prediction is exact against its own timeline, whatever lies between steps")
    func exact() throws {
        let simulation = try Self.simulation()
        let comparison = try StepComparison(simulation, recorded: Self.recorded(simulation, steps: 3))
        #expect(comparison.steps == 3 && abs(comparison.timeError) < 1e-9)
        for (predicted, recorded) in zip(comparison.predictedIdle, comparison.recordedIdle) {
            #expect(abs(predicted - recorded) < 1e-9)
        }
    }

    @Test("a wrong prediction shows its error and the action that is off most")
    func off() throws {
        let truth = try Self.simulation(forward: 1.5e-3)
        let guess = try Self.simulation()
        let comparison = try StepComparison(guess, recorded: Self.recorded(truth, steps: 2))
        #expect(abs(comparison.timeError - (guess.makespan / truth.makespan - 1)) < 1e-9)
        #expect(comparison.worst?.action.kind == .forward)
        let forward = comparison.entries.filter { $0.kind == .forward }
        #expect(forward.count == 3 && forward.allSatisfy { abs($0.recorded - 1.5e-3) < 1e-12 })
        #expect(comparison.text.contains("worst action: F"))
    }

    @Test("a trace of another schedule is refused")
    func foreign() throws {
        let simulation = try Self.simulation()
        var timeline = Self.recorded(simulation, steps: 2)
        timeline.spans.remove(at: 0)
        #expect(throws: SimulationError.self) { try StepComparison(simulation, recorded: timeline) }
        let other = try simulate(makeTable("1f1b", ranks: 2, sequences: 3, slices: 2)).timeline(title: "")
        #expect(throws: SimulationError.self) { try StepComparison(simulation, recorded: other) }
    }
}
