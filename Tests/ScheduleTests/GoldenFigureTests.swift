import Schedules
import Simulation
import Testing

/// A published or derived bubble, with the peak of units where it is known.
struct Golden: CustomTestStringConvertible, Sendable {
    let schedule: String
    let ranks, sequences, slices: Int
    let bubble: Double
    let peak: [Int]

    init(_ schedule: String, _ ranks: Int, _ sequences: Int, _ slices: Int, _ bubble: Double, _ peak: [Int]) {
        self.schedule = schedule
        self.ranks = ranks
        self.sequences = sequences
        self.slices = slices
        self.bubble = bubble
        self.peak = peak
    }

    var testDescription: String { "\(schedule) P=\(ranks) N=\(sequences) K=\(slices)" }
}

struct GoldenFigureTests {
    @Test(
        "1F1B over slices has the known bubbles and peaks",
        arguments: [
            Golden("1f1b", 4, 4, 1, 0.4286, [4, 3, 2, 1]),
            Golden("1f1b", 4, 4, 4, 0.1579, [7, 6, 5, 4]),
            Golden("1f1b", 8, 16, 4, 0.0986, [11, 10, 9, 8, 7, 6, 5, 4]),
            Golden("1f1b", 8, 8, 8, 0.0986, [15, 14, 13, 12, 11, 10, 9, 8]),
            Golden("1f1b", 4, 1, 16, 0.1579, [16, 16, 16, 16]),
            Golden("1f1b", 8, 1, 8, 0.4667, [8, 8, 8, 8, 8, 8, 8, 8]),
            Golden("1f1b", 8, 2, 4, 0.4667, [8, 8, 8, 8, 7, 6, 5, 4]),
        ])
    func oneForwardOneBackward(golden: Golden) throws {
        let table = try makeTable(
            golden.schedule, ranks: golden.ranks, sequences: golden.sequences, slices: golden.slices)
        #expect(fourDigits(try simulate(table).bubble) == golden.bubble)
        #expect(Slots(table).peakUnits == golden.peak)
    }

    @Test("both fused schedules follow their closed forms for every small shape")
    func closedForms() throws {
        for ranks in 1...6 {
            for sequences in 1...4 {
                for slices in 1...4 {
                    let units = sequences * slices
                    let bubble = Double(ranks - 1) / Double(units + ranks - 1)
                    for name in ["1f1b", "all-forward-all-backward"] {
                        let table = try makeTable(name, ranks: ranks, sequences: sequences, slices: slices)
                        let simulation = try simulate(table, forward: 1, input: 1.25, weight: 0.5)
                        #expect(abs(simulation.bubble - bubble) < 1e-12, "\(name) \(ranks) \(sequences) \(slices)")
                        #expect(abs(simulation.makespan - Double(units + ranks - 1) * 2.75) < 1e-9)
                        let peaks = (0..<ranks).map {
                            name == "1f1b" ? min(slices + ranks - 1 - $0, units) : units
                        }
                        #expect(Slots(table).peakUnits == peaks)
                    }
                }
            }
        }
    }
}
