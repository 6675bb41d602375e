import Model
import Testing

/// Counts of parameters and flops against GECKO.md, Counts.
@Suite struct CountTests {
    private let c = SmallModel().configuration

    @Test(arguments: [false, true], [false, true]) func parametersOfAModel(rescaled: Bool, tied: Bool) {
        var c = c
        (c.rescaleNFFN, c.tieEmbeddings) = (rescaled, tied)
        let (D, Z, E, F, N, V) = (c.dim, c.zDim, c.valueDim, c.ffnDim, c.emaDim, c.vocabulary)
        let layer = D * D + 3 * D * E + D * Z + 3 * D * F + 4 * D * N + 2 * E + 9 * Z + 7 * D + (rescaled ? D : 0)
        #expect(c.parameterCount == c.layers * layer + (tied ? 1 : 2) * V * D + 2 * D)
    }

    @Test func sevenBillionForThePublishedConfiguration() {
        var c = GeckoConfiguration()
        (c.layers, c.dim, c.zDim, c.valueDim, c.ffnDim, c.heads) = (32, 4096, 1024, 8192, 8192, 4)
        (c.emaDim, c.chunk, c.normGroups, c.vocabulary) = (16, 2048, 64, 32_000)
        #expect(c.parameterCount / 100_000_000 == 73)
    }

    @Test func matrixFlopsOfAToken() {
        let (D, Z, E, F, H, C) = (c.dim, c.zDim, c.valueDim, c.ffnDim, c.heads, c.chunk)
        let linear = 2 * (D * D + 3 * D * E + D * Z + 3 * D * F)
        let attention = (Z + E) * (3 * C + 1)
        let memory = 2 * Z * E / H + 4 * Z * E / H
        #expect(c.describe(.layer(0)).forwardFlopsPerToken == Double(linear + attention + memory))
        #expect(c.describe(.output).forwardFlopsPerToken == Double(2 * D * c.vocabulary))
        #expect(c.describe(.embedding).forwardFlopsPerToken == 0)
    }
}
