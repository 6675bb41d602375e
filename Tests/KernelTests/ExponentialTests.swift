import Glibc
import Kernels
import Testing

/// The vector exponential, seen through the attention's backward: with a maximum of 0 and a sum of 1 it writes P =
/// exp(s).
@Suite struct ExponentialTests {
    private func exponentials(_ x: [Float], _ kernels: KernelTable) -> [Float] {
        let memory = KernelMemory()
        let p = memory.output("p", from: x)
        kernels.sequences.attention.causalSoftmaxBackward(
            CausalSoftmaxBackwardArguments(
                scores: p, gradients: memory.scratch(x.count), stride: x.count,
                extent: Extent(rows: 1, columns: x.count), seen: x.count, top: memory.input([0]),
                total: memory.input([1]), delta: memory.input([0])))
        return (0..<x.count).map { p[$0] }
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func itIsAccurateFromMinus87To88(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        let x = (0...175_000).map { Float(-87 + Double($0) * 1e-3) }
        var worst = 0.0
        for (x, found) in zip(x, exponentials(x, kernels)) {
            let expected = exp(Double(x))
            worst = max(worst, abs(Double(found) - expected) / expected)
        }
        #expect(worst < 2e-7)
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func itIsZeroFarBelowAndOneAtZero(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        let found = exponentials([-.infinity, -1e30, -200, -87.4, 0, -0.0], kernels)
        #expect(found == [0, 0, 0, 0, 1, 1])
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func itStaysFiniteFarAbove(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        let found = exponentials([88.3, 89, 1000, .greatestFiniteMagnitude, .infinity], kernels)
        #expect(found.allSatisfy { $0.isFinite && $0 > 1e38 })
    }

    @Test(arguments: KernelTable.runnable.map(\.level))
    func itNeverFalls(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        let found = exponentials((0...20_000).map { Float(-2 + Double($0) * 2e-4) }, kernels)
        // Where two pieces of the reduction meet, the last bit may step back.
        #expect(zip(found, found.dropFirst()).allSatisfy { $0 <= $1 * (1 + 2e-7) })
    }
}
