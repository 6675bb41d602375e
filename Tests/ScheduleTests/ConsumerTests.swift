import Foundation
import Schedules
import Simulation
import Testing

@Suite struct ConsumerTests {
    /// Two steps with the same actions: each step's arrow ends at its own step's consumer.
    @Test func arrowsOfSeveralStepsStayInTheirStep() throws {
        let make = Action(.forward, stage: 0, sequence: 0, slice: 0)
        let use = Action(.forward, stage: 1, sequence: 0, slice: 0)
        var timeline = Timeline(title: "two steps", ranks: 2)
        for step in [0.0, 10.0] {
            timeline.spans.append(.init(rank: 0, content: .action(make), start: step, duration: 1))
            timeline.spans.append(.init(rank: 1, content: .action(use), start: step + 2, duration: 1))
            timeline.arrows.append(
                .init(fromRank: 0, departure: step + 1, toRank: 1, arrival: step + 1.5, bytes: 4, action: make))
        }
        let trace = try JSONSerialization.jsonObject(with: Data(PerfettoTrace(timeline).text.utf8)) as? [String: Any]
        let events = try #require(trace?["traceEvents"] as? [[String: Any]])
        func times(_ kind: String) -> [Double] {
            events.filter { $0["ph"] as? String == kind }.compactMap { $0["ts"] as? Double }.sorted()
        }
        let (starts, ends) = (times("s"), times("f"))
        try #require(starts.count == 2 && ends.count == 2)
        for (i, step) in [0.0, 10.0].enumerated() {
            #expect(starts[i] >= step * 1e6 && starts[i] <= (step + 1) * 1e6)
            #expect(ends[i] >= (step + 1) * 1e6 && ends[i] <= (step + 3) * 1e6)
        }
    }
}
