import Foundation
import Schedules
import Simulation
import Testing

/// The examples of docs/library.md, as they stand there: this target sees what any other package would see.
@Suite struct LibraryExampleTests {
    @Test func `what a schedule costs`() throws {
        // example: costs
        let request = ScheduleRequest(ranks: 4, sequences: 8, slices: 1)
        let table = try ScheduleRegistry.generator(named: "zb-h1").make(request)
        let stage = StageCosts(forward: 0.010, backwardInput: 0.010, backwardWeight: 0.010)
        let costs = try Costs(shape: table.shape, stages: [stage], messageBytes: [1 << 20])
        let network = Network(betweenNodes: Link(latency: 5e-6, bandwidth: 3e9))
        let simulation = try Simulation(table, costs: costs, network: network)
        print("makespan", simulation.makespan, "s, idle", simulation.idle, "peak", simulation.peakUnits)
        let picture = TimelineSVG(simulation.timeline(title: "ZB-H1")).text
        // end
        // Eight units of 30 ms, and a warm-up of at least three forwards.
        #expect(simulation.makespan > 0.27 && simulation.makespan < 0.30)
        #expect(picture.hasPrefix("<svg") && picture.contains("ZB-H1"))
    }

    @Test func `a schedule of your own`() throws {
        // example: own
        let shape = try ScheduleShape(ranks: 2, sequences: 1, slices: 2, placement: [0, 1])
        let rows: [[Action]] = [
            [
                Action(.forward, stage: 0, sequence: 0, slice: 0), Action(.forward, stage: 0, sequence: 0, slice: 1),
                Action(.backward, stage: 0, sequence: 0, slice: 1), Action(.backward, stage: 0, sequence: 0, slice: 0),
            ],
            [
                Action(.forward, stage: 1, sequence: 0, slice: 0), Action(.forward, stage: 1, sequence: 0, slice: 1),
                Action(.backward, stage: 1, sequence: 0, slice: 1), Action(.backward, stage: 1, sequence: 0, slice: 0),
            ],
        ]
        let table = ScheduleTable(name: "mine", shape: shape, rows: rows)
        try table.validate()
        print(table.text)
        // end
        #expect(try ScheduleTable(text: table.text).rows == rows)
        let wrong = ScheduleTable(name: "mine", shape: shape, rows: rows.map { $0.reversed() })
        #expect(throws: ScheduleError.self) { try wrong.validate() }
    }

    @Test func `the best table`() throws {
        // example: search
        let shape = try ScheduleShape(ranks: 4, sequences: 8, slices: 1, placement: [0, 1, 2, 3])
        let stage = StageCosts(forward: 0.010, backwardInput: 0.011, backwardWeight: 0.009)
        let costs = try Costs(shape: shape, stages: [stage])
        let memory = MemoryLimit(shape: shape, costs: costs, units: 4)
        let found = try AutoSchedule(shape: shape, costs: costs, network: Network(), memory: memory)
        print(found.simulation.makespan, "at least", found.lowerBound ?? 0)
        // end
        #expect(found.simulation.makespan >= found.lowerBound ?? 0)
        #expect(memory.peaks(found.table).allSatisfy { $0 <= 4.001 })
    }

    @Test func `the page prints these examples`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/library.md"), encoding: .utf8)
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        for name in ["costs", "own", "search"] {
            let code = try #require(source.split(separator: "        // example: \(name)\n", maxSplits: 1).last)
            let lines = code.split(separator: "\n", omittingEmptySubsequences: false)
                .prefix { $0 != "        // end" }.map { $0.dropFirst(8) }
            let printed = "<!-- example: \(name) -->\n```swift\n\(lines.joined(separator: "\n"))\n```"
            #expect(page.contains(printed), "docs/library.md should have:\n\(printed)")
        }
    }
}
