import Schedules
import Simulation
import Testing

struct SearchTests {
    private static func auto(
        ranks: Int, sequences: Int, slices: Int, stages: [StageCosts], message: Double, units: Double,
        placement: [Int]? = nil
    ) throws -> AutoSchedule {
        let shape = try ScheduleShape(
            ranks: ranks, sequences: sequences, slices: slices, placement: placement ?? Array(0..<ranks))
        let costs = try Costs(shape: shape, stages: stages)
        return try AutoSchedule(
            shape: shape, costs: costs, network: Network(uniform: Link(latency: message)),
            memory: MemoryLimit(shape: shape, costs: costs, units: units))
    }

    @Test("no order is shorter than what auto finds under the same cap: every order on up to 3 ranks of up to 6 units")
    func optimal() throws {
        var random = SeededGenerator(seed: 4)
        let units = [
            (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1), (5, 1),
            (6, 1),
        ]
        for (ranks, (sequences, slices)) in (1...3).flatMap({ ranks in units.map { (ranks, $0) } }) {
            for round in 0..<3 {
                let equal = round == 0
                func times() -> [Double] {
                    (0..<ranks).map { _ in equal ? 1 : Double.random(in: 0.5...2, using: &random) }
                }
                let (forward, input, weight) = (times(), times(), times())
                let message = equal ? 0 : Double.random(in: 0...1, using: &random)
                let cap = slices + (round + sequences) % (ranks + 1)
                let share = round == 1 ? 1 : StageCosts.transformerWeightShare
                let exhaustive = Exhaustive(
                    ranks: ranks, sequences: sequences, slices: slices, forward: forward, input: input, weight: weight,
                    message: message, cap: cap, share: share)
                let auto = try Self.auto(
                    ranks: ranks, sequences: sequences, slices: slices,
                    stages: (0..<ranks).map {
                        var stage = StageCosts(
                            forward: forward[$0], backwardInput: input[$0], backwardWeight: weight[$0])
                        stage.weightShare = share
                        return stage
                    }, message: message, units: Double(cap))
                let least = try #require(exhaustive.makespan())
                try auto.table.validate()
                #expect(auto.simulation.peakUnits.allSatisfy { $0 <= Double(cap) })
                #expect(auto.isOptimal)
                #expect(
                    abs(auto.simulation.makespan - least) < 1e-9 * least, "\(ranks) \(sequences) \(slices) \(round)")
                #expect((auto.lowerBound ?? .infinity) <= least * (1 + 1e-12))
            }
        }
    }

    @Test("a fused backward that is cheaper than its halves is used where that helps")
    func fused() throws {
        let stage = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 1, backward: 1.5)
        let auto = try Self.auto(ranks: 2, sequences: 4, slices: 1, stages: [stage], message: 0, units: 4)
        #expect(auto.table.rows.joined().contains { $0.kind == .backward })
        let separate = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 1)
        let other = try Self.auto(ranks: 2, sequences: 4, slices: 1, stages: [separate], message: 0, units: 4)
        #expect(auto.simulation.makespan < other.simulation.makespan)
    }

    @Test(
        "auto reaches the published bubbles of the searches under one and two times 1F1B's memory",
        arguments: PublishedProfile.all)
    func published(profile: PublishedProfile) throws {
        let stage = StageCosts(
            forward: profile.forward, backwardInput: profile.input, backwardWeight: profile.weight)
        for (caps, published) in [(1, profile.onePeak), (2, profile.twoPeaks)] {
            let auto = try Self.auto(
                ranks: profile.ranks, sequences: profile.sequences, slices: 1, stages: [stage],
                message: profile.message, units: Double(caps * profile.ranks))
            #expect(abs(auto.simulation.bubble - published) < 0.003)
            #expect(auto.simulation.peakUnits.allSatisfy { $0 <= Double(caps * profile.ranks) })
            if caps == 2 { #expect(auto.isOptimal) }
        }
    }

    @Test("what a unit keeps for its weight gradient decides how far a cap reaches")
    func weightShare() throws {
        func bubble(_ share: Double) throws -> Double {
            var stage = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 0.6)
            stage.weightShare = share
            return try Self.auto(ranks: 4, sequences: 12, slices: 1, stages: [stage], message: 0, units: 8).simulation
                .bubble
        }
        #expect(try bubble(0.4) < bubble(1) - 0.01)
        var stage = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 0.6)
        #expect(stage.heldShare == 0.4)
        // Known bytes count for themselves.
        (stage.unitBytes, stage.weightUnitBytes) = (100, 75)
        #expect(stage.heldShare == 0.75)
        stage.weightUnitBytes = 130
        #expect(stage.heldShare == 1)
    }

    @Test("auto is never worse than any schedule that keeps its cap, whatever the placement")
    func neverWorse() throws {
        for placement in [Array(0..<4), Placement.cyclic(ranks: 4, virtualStages: 2), Placement.vee(ranks: 4)] {
            let share = placement.count == 4 ? 1.0 : 0.5
            let stage = StageCosts(forward: share, backwardInput: 1.2 * share, backwardWeight: 0.7 * share)
            let auto = try Self.auto(
                ranks: 4, sequences: 4, slices: 2, stages: [stage], message: 0.1, units: 6, placement: placement)
            try auto.table.validate()
            for generator in ScheduleRegistry.all {
                for virtualStages in 1...2 {
                    let request = ScheduleRequest(ranks: 4, virtualStages: virtualStages, sequences: 4, slices: 2)
                    guard let table = try? generator.make(request), table.shape == auto.table.shape else { continue }
                    let costs = try Costs(shape: table.shape, stages: [stage])
                    guard MemoryLimit(shape: table.shape, costs: costs, units: 6).allows(table) else { continue }
                    let other = try Simulation(
                        table, costs: costs,
                        network: Network(uniform: Link(latency: 0.1)))
                    #expect(auto.simulation.makespan <= other.makespan * (1 + 1e-9))
                }
            }
        }
    }

    @Test("a cap below the slices of a sequence is refused")
    func tooSmall() throws {
        let stage = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 1)
        let error = #expect(throws: SimulationError.self) {
            try Self.auto(ranks: 2, sequences: 2, slices: 3, stages: [stage], message: 0, units: 2)
        }
        #expect(error?.description.contains("needs at least 3") ?? false)
    }
}
