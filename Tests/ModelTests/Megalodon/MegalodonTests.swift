import Hardware
import Model
import TestSupport
import Testing

/// A Megalodon's gradients, cuts, documents, counts and first values.
@Suite struct MegalodonTests {
    @Test(arguments: [false, true]) func gradientsAreTheSlopesOfTheLoss(packed: Bool) {
        let models = SmallMegalodon.combinations(packed: packed)
        for model in [models[3], models[28]] { expectSlopes(of: model) }
    }

    /// Single tokens, slices within a chunk, slices over several, ends at chunk boundaries and beside them.
    private static let cuts = [[4, 8, 12, 16, 20, 24, 28, 29], [1, 2, 9, 16, 27, 29], [15, 29]]

    @Test(arguments: [false, true]) func everyCombinationOfOptionsInSlices(packed: Bool) {
        for (i, model) in SmallMegalodon.combinations(packed: packed).enumerated() {
            let cut = Self.cuts[i % Self.cuts.count]
            let whole = model.result([model.length])
            #expect(whole.loss > 0.5 && whole.loss < 50)
            expectAgreement(model.result(cut), whole, "options \(i), cut at \(cut)")
        }
    }

    @Test(arguments: [false, true]) func everySingleCutAndEveryTokenAlone(packed: Bool) {
        expectEveryCutToAgree(SmallMegalodon { $0.bosID = packed ? 0 : nil })
    }

    @Test func otherShapes() {
        let shapes: [(inout MegalodonConfiguration) -> Void] = [
            { ($0.heads, $0.normGroups) = (1, 1) }, { ($0.heads, $0.zDim, $0.valueDim) = (4, 8, 20) },
            { ($0.dim, $0.normGroups) = (34, 17) }, { ($0.chunk, $0.emaDim) = (1, 1) },
            { ($0.chunk, $0.normGroups) = (64, 6) }, { ($0.chunk, $0.emaDim, $0.layers) = (5, 4, 1) },
        ]
        for (i, shape) in shapes.enumerated() {
            for packed in [false, true] {
                let model = SmallMegalodon {
                    shape(&$0)
                    $0.bosID = packed ? 0 : nil
                }
                expectAgreement(model.result([3, 10, 11, 29]), model.result([29]), "shape \(i), packed \(packed)")
            }
        }
    }

    /// Wide and long enough that everything is shared: rows, columns, groups, heads, tiles of attention.
    @Test func workersChangeNoBit() throws {
        let model = SmallMegalodon(length: 150) {
            ($0.dim, $0.zDim, $0.valueDim, $0.ffnDim, $0.heads, $0.chunk) = (68, 48, 72, 50, 3, 16)
            ($0.normGroups, $0.vocabulary, $0.bosID, $0.rescaleNFFN) = (17, 50, 0, true)
        }
        let alone = model.result([37, 70, 150])
        for workers in 2...5 {
            try withTeam(of: workers) { team in
                expectSameBits(model.result([37, 70, 150], team: team), alone, "\(workers) workers")
            }
        }
    }

    @Test func everythingIsCountedAsAKindThatItLists() {
        let team = Team()
        let clock = WorkClock(workers: 1, threads: 1)
        team.clock = clock
        clock.enter(.forward)
        _ = SmallMegalodon().result([29], team: team)
        clock.enter(nil)
        let listed = Set(MegalodonConfiguration.workKinds.map(\.work))
        for work in (0..<Work.count).map({ Work(rawValue: $0) }) where work != .communication {
            #expect((clock.times[work] > 0) == listed.contains(work), "counter \(work.rawValue)")
        }
    }

    @Test func documentsKnowNothingOfTheOnesBefore() {
        expectDocumentsToBeApart(SmallMegalodon { ($0.bosID, $0.chunk) = (0, 64) })
    }

    @Test(arguments: [false, true], [false, true]) func parametersOfAModel(rescaled: Bool, tied: Bool) {
        let c = SmallMegalodon { ($0.rescaleNFFN, $0.tieEmbeddings) = (rescaled, tied) }.configuration
        let (D, Z, E, F, N, V) = (c.dim, c.zDim, c.valueDim, c.ffnDim, c.emaDim, c.vocabulary)
        let layer = D * D + 3 * D * E + D * Z + 3 * D * F + 4 * D * N + 2 * E + 5 * Z + 8 * D + (rescaled ? D : 0)
        #expect(c.parameterCount == c.layers * layer + (tied ? 1 : 2) * V * D + 2 * D)
        let attention = 2 * (D * D + 3 * D * E + D * Z + 3 * D * F) + (Z + E) * (c.chunk + 1)
        #expect(c.describe(.layer(1)).forwardFlopsPerToken == Double(attention))
    }

    /// The sizes of the released code's configurations (MEGALODON.md, Counts).
    @Test(arguments: [
        ([32, 4096, 1024, 8192, 8192, 4, 64], true, 7_385_817_088),
        ([32, 4096, 1024, 8192, 11264, 4, 64], false, 7_117_381_632),
        ([24, 2048, 512, 4096, 4864, 2, 64], false, 1_342_832_640),
        ([12, 1024, 256, 2048, 2560, 1, 32], false, 220_627_968),
    ])
    func publishedSizes(sizes: [Int], swiglu: Bool, parameters: Int) {
        var c = MegalodonConfiguration()
        (c.layers, c.dim, c.zDim, c.valueDim) = (sizes[0], sizes[1], sizes[2], sizes[3])
        (c.ffnDim, c.heads, c.normGroups) = (sizes[4], sizes[5], sizes[6])
        (c.swiglu, c.chunk, c.vocabulary) = (swiglu, 2048, 32_000)
        #expect(c.parameterCount == parameters)
    }

    @Test func firstValuesOfItsOwn() throws {
        let c = SmallMegalodon { ($0.dim, $0.normGroups, $0.emaDim) = (1024, 4, 4) }.configuration
        let store = ParameterStore(c.describe(.layer(0)).parameters)
        store.initialize(seed: 3, Team(serial: ()))
        func values(_ name: String, _ count: Int) throws -> [Float] {
            Array(UnsafeBufferPointer(start: try #require(store.value("layers.0.mega.cema." + name)), count: count))
        }
        func deviation(_ x: [Float]) -> Double {
            (x.reduce(0) { $0 + Double($1) * Double($1) } / Double(x.count)).squareRoot()
        }
        let omega = try values("omega", 1024)
        #expect(omega.allSatisfy { abs($0) <= 1 } && abs(deviation(omega) - 0.25) < 0.02)
        let gamma = try values("gamma", 8192)
        #expect(abs(deviation(gamma.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)) - 1) < 0.05)
        #expect(gamma.enumerated().allSatisfy { $0.offset % 2 == 0 || $0.element == 0 })
    }
}
