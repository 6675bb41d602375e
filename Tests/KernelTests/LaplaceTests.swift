import Glibc
import Kernels
import TestSupport
import Testing

/// The laplace function of attention weights is accurate relative to itself, far below its mean too.
@Suite struct LaplaceTests {
    private func evaluate(_ scores: [Float], _ kernels: KernelTable) -> (values: [Float], slopes: [Float]) {
        let memory = KernelMemory()
        let (w, d) = (memory.output("w", from: scores), memory.output("d", from: scores.map { _ in 1 }))
        kernels.sequences.biasedAttention.laplaceBackward(
            MutableFloatRows(w, stride: scores.count), MutableFloatRows(d, stride: scores.count),
            Extent(rows: 1, columns: scores.count), scores.count)
        return (scores.indices.map { w[$0] }, scores.indices.map { d[$0] })
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func itsTailIsAccurate(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        // At -2.9 it is 1e-37, near the end of what single precision holds.
        let scores = (0...59_000).map { Float(-2.9 + Double($0) * 1e-4) }
        let (values, slopes) = evaluate(scores, kernels)
        let width = 0.282095
        for (s, (value, density)) in zip(scores, zip(values, slopes)) {
            let z = (Double(s) - 0.707107) / width
            let expected = 0.5 * erfc(-z / 2.0.squareRoot())
            let expectedDensity = exp(-z * z / 2) / (width * (2 * Double.pi).squareRoot())
            #expect(abs(Double(value) / expected - 1) < 1e-6, "f(\(s)) = \(value), not \(expected)")
            #expect(abs(Double(density) / expectedDensity - 1) < 1e-6, "f'(\(s)) = \(density), not \(expectedDensity)")
        }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func farAwayItIsNothingOrOne(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        let (values, slopes) = evaluate([-.infinity, -1e30, -4, 4, 1e30, .infinity], kernels)
        #expect(values == [0, 0, 0, 1, 1, 1])
        #expect(slopes[0...2] == [0, 0, 0] && slopes[3...].allSatisfy { $0 < 1e-20 })
    }
}
