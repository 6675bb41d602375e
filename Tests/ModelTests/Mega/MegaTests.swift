import Hardware
import Model
import TestSupport
import Testing

/// A Mega's gradients, cuts, documents, counts and first values.
@Suite struct MegaTests {
    @Test(arguments: [false, true]) func gradientsAreTheSlopesOfTheLoss(packed: Bool) {
        for model in SmallMega.combinations(packed: packed) { expectSlopes(of: model, least: 1e-3) }
    }

    /// Single tokens, slices within a chunk, slices over several, ends at chunk boundaries and beside them.
    private static let cuts = [[4, 8, 12, 16, 20, 24, 28, 29], [1, 2, 9, 16, 27, 29], [15, 29]]

    @Test(arguments: [false, true]) func everyCombinationOfOptionsInSlices(packed: Bool) {
        for (i, model) in SmallMega.combinations(packed: packed).enumerated() {
            let whole = model.result([model.length])
            #expect(whole.loss > 0.5 && whole.loss < 50)
            for cut in Self.cuts { expectAgreement(model.result(cut), whole, "options \(i), cut at \(cut)") }
        }
    }

    @Test(arguments: [false, true], [0, 4]) func everySingleCutAndEveryTokenAlone(packed: Bool, chunk: Int) {
        expectEveryCutToAgree(SmallMega { ($0.bosID, $0.chunk) = (packed ? 0 : nil, chunk) })
    }

    @Test func otherShapes() {
        let shapes: [(inout MegaConfiguration) -> Void] = [
            { ($0.dim, $0.emaDim) = (34, 1) }, { ($0.zDim, $0.valueDim) = (2, 33) }, { $0.chunk = 1 },
            { ($0.chunk, $0.ffnDim) = (64, 17) }, { ($0.chunk, $0.emaDim, $0.layers) = (5, 4, 1) },
        ]
        for (i, shape) in shapes.enumerated() {
            for packed in [false, true] {
                let model = SmallMega {
                    shape(&$0)
                    $0.bosID = packed ? 0 : nil
                }
                expectAgreement(model.result([3, 10, 11, 29]), model.result([29]), "shape \(i), packed \(packed)")
            }
        }
    }

    /// Wide and long enough that everything is shared: rows, columns, tiles and blocks of attention.
    @Test(arguments: MegaConfiguration.Attention.allCases, [0, 160]) func workersChangeNoBit(
        attention: MegaConfiguration.Attention, chunk: Int
    ) throws {
        let model = SmallMega(length: 400) {
            ($0.dim, $0.zDim, $0.valueDim, $0.ffnDim) = (68, 48, 72, 50)
            ($0.attention, $0.chunk, $0.vocabulary, $0.maxPositions) = (attention, chunk, 50, 500)
        }
        let alone = model.result([137, 290, 400])
        for workers in 2...4 {
            try withTeam(of: workers) { team in
                expectSameBits(model.result([137, 290, 400], team: team), alone, "\(workers) workers")
            }
        }
    }

    @Test(arguments: [0, 64]) func documentsKnowNothingOfTheOnesBefore(chunk: Int) {
        expectDocumentsToBeApart(SmallMega { ($0.bosID, $0.chunk) = (0, chunk) })
    }

    @Test(arguments: MegaConfiguration.PositionBiasKind.allCases, [false, true]) func parametersOfAModel(
        bias: MegaConfiguration.PositionBiasKind, tied: Bool
    ) {
        let c = SmallMega { ($0.positionBias, $0.tieEmbeddings) = (bias, tied) }.configuration
        let (D, Z, E, F, N, V) = (c.dim, c.zDim, c.valueDim, c.ffnDim, c.emaDim, c.vocabulary)
        let layer = 2 * D * D + 3 * D * E + D * Z + 2 * D * F + 4 * D * N + 2 * E + 5 * Z + F + 9 * D
        let biases = bias == .rotary ? 2 * Z : 2 * c.maxPositions - 1
        #expect(c.parameterCount == c.layers * (layer + biases) + (tied ? 1 : 2) * V * D)
        let flops = 2 * (2 * D * D + 3 * D * E + D * Z + 2 * D * F) + (Z + E) * (c.chunk + 1)
        #expect(c.describe(.layer(1)).forwardFlopsPerToken == Double(flops))
    }

    @Test func firstValuesOfItsOwn() throws {
        let c = SmallMega { ($0.dim, $0.emaDim) = (1024, 4) }.configuration
        let store = ParameterStore(c.describe(.layer(0)).parameters)
        store.initialize(seed: 3, Team(serial: ()))
        let move = "layers.0.mega_layer.move."
        let beta = Array(UnsafeBufferPointer(start: try #require(store.value(move + "beta")), count: 4096))
        #expect(beta.enumerated().allSatisfy { abs($0.element - ($0.offset % 2 == 0 ? 1 : -1)) < 0.15 })
        #expect(Set(beta).count > 2000)
        for (name, count, deviation) in [("alpha", 4096, 0.2), ("gamma", 4096, 1), ("omega", 1024, 1)] {
            let values = UnsafeBufferPointer(start: try #require(store.value(move + name)), count: count)
            let mean = (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(count)).squareRoot()
            #expect(abs(mean / deviation - 1) < 0.1, "\(name)")
        }
    }
}
