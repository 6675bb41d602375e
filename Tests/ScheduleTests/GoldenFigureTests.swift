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

    @Test(
        "ZB-H1 over slices has the known bubbles and peaks",
        arguments: [
            Golden("zb-h1", 4, 4, 4, 0.0588, [7, 7, 7, 7]),
            Golden("zb-h1", 8, 8, 4, 0.0680, [11, 11, 11, 11, 11, 11, 11, 11]),
            Golden("zb-h1", 8, 8, 8, 0.0352, [15, 15, 15, 15, 15, 15, 15, 15]),
            Golden("zb-h1", 8, 2, 16, 0.0680, [23, 23, 23, 23, 23, 23, 23, 23]),
            Golden("zb-h1", 4, 1, 16, 0.1111, [16, 16, 16, 16]),
        ])
    func zeroBubbleH1(golden: Golden) throws {
        let table = try makeTable(
            golden.schedule, ranks: golden.ranks, sequences: golden.sequences, slices: golden.slices)
        #expect(fourDigits(try simulate(table).bubble) == golden.bubble)
        #expect(Slots(table).peakUnits == golden.peak)
    }

    @Test(
        "the bubbles of the zero-bubble paper's profiles to four digits",
        arguments: PublishedProfile.all)
    func published(profile: PublishedProfile) throws {
        func bubble(_ name: String) throws -> Double {
            let table = try makeTable(
                name, ranks: profile.ranks, sequences: profile.sequences, slices: 1)
            return try simulate(
                table, forward: profile.forward, input: profile.input, weight: profile.weight, message: profile.message
            ).bubble
        }
        #expect(fourDigits(try bubble("1f1b")) == profile.oneForwardOneBackward)
        #expect(fourDigits(try bubble("zb-h1")) == profile.zeroBubbleH1)
        #expect(fourDigits(try bubble("zb-h2")) == profile.zeroBubbleH2)
    }

    @Test(
        """
        interleaved is within .004 of the zero-bubble paper's 1F1B-I, whose models have as many stages a rank as \
        layers
        """,
        arguments: PublishedProfile.all)
    func publishedInterleaved(profile: PublishedProfile) throws {
        let table = try makeTable(
            "interleaved", ranks: profile.ranks, sequences: profile.sequences, slices: 1,
            virtualStages: profile.layersPerRank)
        let bubble = try simulate(
            table, forward: profile.forward, input: profile.input, weight: profile.weight, message: profile.message
        ).bubble
        #expect(abs(bubble - profile.interleaved) < 0.004)
    }

    @Test("peaks in units count the share that a weight gradient still needs, the same as caps do")
    func peakUnits() throws {
        let table = try makeTable("zb-h1", ranks: 4, sequences: 4, slices: 4)
        // Rank r holds K+P-1-r whole units and r that only wait for their weight gradient (arXiv 2401.10241, section
        // 2).
        #expect(try simulate(table).peakUnits == [7, 6.4, 5.8, 5.2])
        for (ranks, sequences, slices, peak) in [
            (4, 4, 4, 7.0), (8, 8, 4, 11), (8, 8, 8, 15), (8, 2, 16, 23), (4, 1, 16, 16),
        ] {
            let table = try makeTable("zb-h1", ranks: ranks, sequences: sequences, slices: slices)
            #expect(try simulate(table).peakUnits.max() == peak)
        }
        #expect(
            try simulate(makeTable("1f1b", ranks: 8, sequences: 2, slices: 4)).peakUnits == [8, 8, 8, 8, 7, 6, 5, 4])
    }

    @Test("split schedules follow their closed forms once there are enough units")
    func splitClosedForms() throws {
        let (forward, input, weight) = (1.0, 1.125, 0.75)
        for (ranks, sequences, slices) in [(2, 3, 2), (4, 8, 1), (4, 4, 3), (6, 6, 4), (8, 16, 1)] {
            let work = Double(sequences * slices) * (forward + input + weight)
            for (name, shortfall) in [("zb-h1", forward + input - weight), ("zb-h2", forward + input - 2 * weight)] {
                let table = try makeTable(name, ranks: ranks, sequences: sequences, slices: slices)
                let simulation = try simulate(table, forward: forward, input: input, weight: weight)
                let bubble = Double(ranks - 1) * shortfall
                #expect(abs(simulation.cost - work - bubble) < 1e-9, "\(name) \(ranks) \(sequences) \(slices)")
            }
        }
    }

    @Test("interleaving divides the bubble by the stages a rank for every M >= P, divisible or not")
    func interleaved() throws {
        for ranks in 1...5 {
            for sequences in 1...5 {
                for slices in 1...5 where sequences * slices >= ranks {
                    for virtualStages in 2...3 {
                        let table = try makeTable(
                            "interleaved", ranks: ranks, sequences: sequences, slices: slices,
                            virtualStages: virtualStages)
                        let units = virtualStages * sequences * slices
                        let bubble = Double(ranks - 1) / Double(units + ranks - 1)
                        #expect(abs(try simulate(table).bubble - bubble) < 1e-9)
                    }
                }
            }
        }
    }

    @Test("ZBV has no bubble where F = B = W, and the same peak on every rank")
    func zeroBubbleV() throws {
        for (ranks, sequences, slices) in [(2, 3, 1), (4, 8, 1), (4, 4, 4), (8, 8, 8), (3, 3, 3), (8, 15, 1)] {
            let table = try makeTable("zbv", ranks: ranks, sequences: sequences, slices: slices)
            #expect(abs(try simulate(table).bubble) < 1e-12)
            #expect(Slots(table).peakUnits == [Int](repeating: 2 * (slices + ranks - 1), count: ranks))
        }
    }

    @Test("under a cap of K+x units the makespan is the least there is")
    func memoryCapped() throws {
        for ranks in 1...5 {
            for sequences in 2...4 {
                for slices in 1...5 {
                    for extra in 0...min(ranks - 1, slices - 1) {
                        let caps = [Int](repeating: slices + extra, count: ranks)
                        let table = try ScheduleRegistry.generator(named: "memory-capped").make(
                            .init(ranks: ranks, sequences: sequences, slices: slices, unitCaps: caps))
                        let stalls = (sequences - 1) * (ranks - 1 - extra)
                        let periods = sequences * slices + ranks - 1 + stalls
                        let simulation = try simulate(table, forward: 1, input: 1, weight: 1)
                        #expect(abs(simulation.makespan - 3 * Double(periods)) < 1e-9)
                        #expect(Slots(table).peakUnits.allSatisfy { $0 <= slices + extra })
                    }
                }
            }
        }
    }
}

/// Measured times of a model in the zero-bubble paper (arXiv 2401.10241), in milliseconds, with the published bubbles.
struct PublishedProfile: CustomTestStringConvertible, Sendable {
    let ranks, sequences: Int
    let forward, input, weight, message: Double
    /// Layers of a rank at most: 22 and 30 in all, the first and the last rank one fewer.
    let layersPerRank: Int
    let oneForwardOneBackward, interleaved, zeroBubbleH1, zeroBubbleH2, onePeak, twoPeaks: Double

    var testDescription: String { "P=\(ranks) M=\(sequences) F=\(forward)" }

    private init(
        _ ranks: Int, _ sequences: Int, _ times: (Double, Double, Double, Double), layersPerRank: Int,
        _ bubbles: (Double, Double, Double, Double, Double, Double)
    ) {
        self.ranks = ranks
        self.layersPerRank = layersPerRank
        self.sequences = sequences
        (forward, input, weight, message) = times
        (oneForwardOneBackward, interleaved, zeroBubbleH1, zeroBubbleH2, onePeak, twoPeaks) = bubbles
    }

    static let all = [
        PublishedProfile(
            8, 24, (18.522, 18.086, 9.337, 0.601), layersPerRank: 3, (0.2431, 0.1055, 0.1585, 0.1083, 0.1585, 0.0433)),
        PublishedProfile(
            8, 32, (18.513, 18.086, 9.331, 0.626), layersPerRank: 3, (0.1985, 0.0818, 0.1242, 0.0837, 0.1242, 0.0039)),
        PublishedProfile(
            8, 64, (18.546, 18.097, 9.321, 0.762), layersPerRank: 3, (0.1240, 0.0443, 0.0674, 0.0444, 0.0674, 0.0026)),
        PublishedProfile(
            8, 24, (29.718, 29.444, 19.927, 0.527), layersPerRank: 4, (0.2347, 0.0808, 0.1323, 0.0698, 0.1323, 0.0029)),
        PublishedProfile(
            8, 32, (29.802, 29.428, 19.530, 0.577), layersPerRank: 4, (0.1898, 0.0628, 0.1045, 0.0559, 0.1045, 0.0022)),
        PublishedProfile(
            8, 64, (29.935, 29.621, 19.388, 0.535), layersPerRank: 4, (0.1091, 0.0320, 0.0554, 0.0294, 0.0554, 0.0010)),
    ]
}
