import Foundation
import Schedules
import Simulation
import Testing

/// What grows with a sequence: rows that are kept of every token, and slices that take longer the later they come.
struct SequenceCostTests {
    private static func stage(growth: Double = 0, bytes: Int = 0) -> StageCosts {
        var stage = StageCosts(forward: 1, backwardInput: 2, backwardWeight: 1)
        stage.sliceGrowth = growth
        (stage.unitBytes, stage.weightUnitBytes, stage.sequenceBytes) = (10, 10, bytes)
        return stage
    }

    private static func simulation(_ table: ScheduleTable, _ stage: StageCosts) throws -> Simulation {
        try Simulation(
            table, costs: Costs(shape: table.shape, stages: [stage]), network: Network(uniform: Link(latency: 0)))
    }

    @Test("a sequence's rows are held from its first forward, their gradients from its first backward, to its last")
    func rows() throws {
        for (name, sequences, held) in [
            // One goes back while the next comes.
            ("1f1b", 3, 3), ("all-forward-all-backward", 3, 4),
        ] {
            let table = try makeTable(name, ranks: 1, sequences: sequences, slices: 4)
            let (without, with) = (
                try Self.simulation(table, Self.stage()), try Self.simulation(table, Self.stage(bytes: 1000))
            )
            #expect(with.peakBytes[0] == without.peakBytes[0] + 1000 * held, "\(name)")
            #expect(with.makespan == without.makespan)
        }
    }

    @Test("later slices take longer, and all of a sequence what they took at an equal pace")
    func growth() throws {
        let table = try makeTable("1f1b", ranks: 1, sequences: 2, slices: 4)
        let simulation = try Self.simulation(table, Self.stage(growth: 0.5))
        #expect(abs(simulation.makespan - 2 * 4 * 4) < 1e-12)
        // 1 + 0.5 (k - 1.5) for slice k: 0.25, 0.75, 1.25, 1.75.
        #expect(simulation.starts[0].prefix(5).elementsEqual([0, 0.25, 1, 2.25, 4]))
        // The last slice's backward comes first, and takes longest.
        #expect(simulation.starts[0][5] == 4 + 3 * 1.75)
    }

    @Test("slices that grow lengthen a pipeline, which waits for the longest")
    func pipeline() throws {
        let table = try makeTable("1f1b", ranks: 4, sequences: 2, slices: 4)
        let (even, growing) = (
            try Self.simulation(table, Self.stage()), try Self.simulation(table, Self.stage(growth: 0.5))
        )
        #expect(growing.makespan != even.makespan && growing.makespan > even.busy[0])
        // The search's bound knows equal slices only, so it claims none.
        let choice = try AutoSchedule(
            shape: table.shape, costs: growing.costs, network: growing.network,
            memory: MemoryLimit(shape: table.shape, costs: growing.costs, units: 8))
        #expect(choice.lowerBound == nil && !choice.isOptimal)
        #expect(choice.simulation.makespan <= growing.makespan + 1e-9)
    }

    /// Worked by hand. Forwards of 1, 2, 3 and 4 seconds, backwards of twice that. Rank 1 begins each forward when rank
    /// 0 has ended it (1, 3, 6, 10) and its backwards at 14, the last slice's first: 8, 6, 4 and 2 seconds to 34. Rank
    /// 0 follows: 22 to 30, 36, 40, 42. Cut into slices of 2.5 seconds the same work ends at 12.5 + 4 x 5 + 5 = 37.5.
    @Test("two stages and four slices of a sequence, as long as they are and cut to equal cost")
    func slices() throws {
        let table = try makeTable("1f1b", ranks: 2, sequences: 1, slices: 4)
        var stage = StageCosts(forward: 2.5, fusedBackward: 5)
        func makespan() throws -> Double { try Self.simulation(table, stage).makespan }
        #expect(abs(try makespan() - 37.5) < 1e-12)
        let shares = [0.4, 0.8, 1.2, 1.6]
        stage.sliceShares = SliceShares(
            forward: shares, backwardInput: shares, backwardWeight: shares, backward: shares)
        let simulation = try Self.simulation(table, stage)
        #expect(abs(simulation.makespan - 42) < 1e-12)
        #expect(simulation.starts[1].map { ($0 * 1e6).rounded() / 1e6 } == [1, 3, 6, 10, 14, 22, 28, 32])
    }

    @Test("shares of slices are in a file of costs, and must be as many as the table has slices")
    func shares() throws {
        var stage = Self.stage()
        stage.sliceShares = SliceShares(
            forward: [0.5, 1.5], backwardInput: [0.4, 1.6], backwardWeight: [1, 1], backward: [0.7, 1.3])
        let file = try CostFile(json: CostFile(stages: [stage]).json)
        #expect(file.stages[0].sliceShares == stage.sliceShares)
        _ = try file.costs(for: makeTable("1f1b", ranks: 1, sequences: 1, slices: 2).shape)
        let other = try makeTable("1f1b", ranks: 1, sequences: 1, slices: 4).shape
        let error = #expect(throws: SimulationError.self) { try file.costs(for: other) }
        #expect("\(try #require(error))".contains("expected 4 (one a slice of the table), found 2"))
        let short = CostFile(stages: [stage]).json.replacingOccurrences(of: "[0.4, 1.6]", with: "[0.4]")
        #expect(throws: SimulationError.self) { try CostFile(json: short) }
    }

    @Test("both are in a file of costs, where there are any")
    func file() throws {
        let text = CostFile(stages: [Self.stage(growth: 0.25, bytes: 4096)]).json
        let back = try CostFile(json: text)
        #expect(back.stages[0].sliceGrowth == 0.25 && back.stages[0].sequenceBytes == 4096)
        let plain = CostFile(stages: [Self.stage()]).json
        #expect(!plain.contains("slice_growth") && !plain.contains("sequence_bytes"))
        #expect(throws: SimulationError.self) {
            try CostFile(json: text.replacing("0.25", with: "2.5"))
        }
    }
}
