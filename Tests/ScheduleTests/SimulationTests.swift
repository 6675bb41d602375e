import Schedules
import Simulation
import Testing

struct SimulationTests {
    private static let unit = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 1)

    private static func simulation(
        _ table: ScheduleTable, link: Link = Link(latency: 0), bytes: Int = 0, edit: (inout Costs) -> Void = { _ in }
    ) throws -> Simulation {
        var costs = try Costs(shape: table.shape, stages: [unit], messageBytes: [bytes])
        edit(&costs)
        return try Simulation(table, costs: costs, network: Network(uniform: link))
    }

    @Test("a link carries one message at a time in each direction")
    func bandwidth() throws {
        let table = try makeTable("all-forward-all-backward", ranks: 2, sequences: 3, slices: 1)
        // Messages of 3 s leave at 1, 4 and 7 s and arrive at 4.5, 7.5 and 10.5 s; gradients go back the same way.
        let simulation = try Self.simulation(table, link: Link(latency: 0.5, bandwidth: 100), bytes: 300)
        #expect(simulation.starts[1].prefix(3).elementsEqual([4.5, 7.5, 10.5]))
        #expect(simulation.starts[1].dropFirst(3).elementsEqual([11.5, 13.5, 15.5]))
        #expect(simulation.starts[0].dropFirst(3).elementsEqual([17, 20, 23]))
        #expect(simulation.makespan == 25)
        #expect(simulation.arrows.count == 6 && simulation.arrows.allSatisfy { $0.bytes == 300 })
    }

    @Test("links between nodes, inside a node and exceptions are told apart")
    func links() {
        let network = Network(
            withinNode: Link(latency: 1), betweenNodes: Link(latency: 2),
            exceptions: [.init(from: 0, to: 1): Link(latency: 3)], nodes: [0, 0, 1, 2])
        #expect(network.link(from: 0, to: 1).latency == 1)
        #expect(network.link(from: 1, to: 2).latency == 3)
        #expect(network.link(from: 2, to: 1).latency == 2)
        #expect(network.link(from: 2, to: 3).latency == 2)
    }

    @Test("a straggler's time bounds the step")
    func straggler() throws {
        let table = try makeTable("1f1b", ranks: 4, sequences: 8, slices: 1)
        let simulation = try Self.simulation(table) { $0.slowness[2] = 1.5 }
        #expect(simulation.busy[2] == 36 && simulation.busy[1] == 24)
        #expect(simulation.makespan >= 36 + 2 + 4 && simulation.bubblePerRank[2] < simulation.bubblePerRank[1])
    }

    @Test("the critical path has no gaps but messages and its length is the makespan")
    func criticalPath() throws {
        for name in ["1f1b", "zb-h1", "interleaved", "zbv"] {
            let table = try makeTable(name, ranks: 4, sequences: 3, slices: 2)
            let simulation = try Self.simulation(table, link: Link(latency: 0.25))
            let path = simulation.criticalPath
            let computed = ActionKind.allCases.reduce(0) { $0 + path.time($1) }
            #expect(abs(computed + path.messageTime - simulation.makespan) < 1e-9)
            #expect(path.steps.first?.start == 0 && path.steps.last?.end == simulation.makespan)
            for (step, next) in zip(path.steps, path.steps.dropFirst()) {
                #expect(abs(next.start - step.end - next.wait) < 1e-12)
                #expect(next.wait == 0 || next.rank != step.rank && next.wait == 0.25)
            }
        }
    }

    @Test("ranks with cores of their own run alike in both engines")
    func enginesAgree() throws {
        for name in ["1f1b", "zb-h2", "interleaved", "zbv", "all-forward-all-backward"] {
            let table = try makeTable(name, ranks: 3, sequences: 3, slices: 2).withRecompute()
            let link = Link(latency: 0.3, bandwidth: 10)
            let plain = try Self.simulation(table, link: link, bytes: 4) { $0.slowness[1] = 1.25 }
            let shared = try Self.simulation(table, link: link, bytes: 4) {
                $0.slowness[1] = 1.25
                $0.sharedCores = [SharedCores(ranks: [0, 1], cores: 2)]
            }
            for rank in 0..<3 {
                for (a, b) in zip(plain.starts[rank] + plain.ends[rank], shared.starts[rank] + shared.ends[rank]) {
                    #expect(abs(a - b) < 1e-9)
                }
            }
            #expect(plain.arrows.count == shared.arrows.count)
        }
    }

    @Test("ranks that share a core take the sum of their work, and half speed while both compute")
    func sharedCores() throws {
        let table = try makeTable("1f1b", ranks: 2, sequences: 4, slices: 1)
        let simulation = try Self.simulation(table) { $0.sharedCores = [SharedCores(ranks: [0, 1], cores: 1)] }
        #expect(abs(simulation.makespan - 24) < 1e-9)
        let first = try Self.simulation(table)
        #expect(first.makespan == 15)
        // From 1 s on both compute: the second forward of rank 0 and the first of rank 1 take 2 s each.
        #expect(simulation.ends[0][0] == 1 && simulation.ends[0][1] == 3 && simulation.ends[1][0] == 3)
    }

    @Test("peak bytes count activations, what weight gradients keep, light state and what is resident")
    func bytes() throws {
        let table = try makeTable("zb-h1", ranks: 2, sequences: 2, slices: 1)
        func peak(_ table: ScheduleTable) throws -> [Int] {
            try Self.simulation(table) {
                for stage in 0..<2 {
                    $0.stages[stage].unitBytes = 100
                    $0.stages[stage].weightUnitBytes = 40
                    $0.stages[stage].lightBytes = 7
                    $0.stages[stage].residentBytes = 1000
                }
            }.peakBytes
        }
        // Rank 0: F F B W B W holds two units; rank 1: F B F B W W holds one and what a weight gradient keeps.
        #expect(try peak(table) == [1200, 1140])
        // Its light state goes when a unit has been recomputed: F R B F R B W W holds one unit, what a weight gradient
        // keeps, one light state.
        #expect(try peak(table.withRecompute()) == [1114, 1147])
    }

    @Test("a table that cannot run is refused")
    func illegal() throws {
        let table = try makeTable("1f1b", ranks: 2, sequences: 2, slices: 2)
        let broken = table.with(rows: table.rows.map { $0.reversed() })
        #expect(throws: ScheduleError.self) { try Self.simulation(broken) }
        #expect(throws: ScheduleError.self) {
            try Self.simulation(broken) { $0.sharedCores = [SharedCores(ranks: [0, 1], cores: 1)] }
        }
    }

    @Test("a million actions on 256 ranks are simulated in under two seconds")
    func million() throws {
        let table = try makeTable("zb-h1", ranks: 256, sequences: 1303, slices: 1)
        #expect(table.actionCount > 1_000_000)
        let clock = ContinuousClock()
        var makespan = 0.0
        let time = try clock.measure { makespan = try Self.simulation(table, link: Link(latency: 0.1)).makespan }
        #expect(makespan > 3 * 1303)
        #expect(time < .seconds(2))
    }
}
