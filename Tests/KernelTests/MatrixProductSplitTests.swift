import Hardware
import Kernels
import Numerics
import TestSupport
import Testing

/// A product's bits don't depend on how it is cut: over workers, by one worker or with a factor prepared beforehand, in
/// tiles of any level with fused multiply-adds.
@Suite struct MatrixProductSplitTests {
    @Test(arguments: ProductCase.small + ProductCase.large)
    func upToSixWorkersGiveTheSameBits(_ p: ProductCase) throws {
        let data = p.data()
        let alone = p.run(TileProducts(Team()), data)
        for workers in 2...6 {
            try withTeam(of: workers) { team in
                let engine = TileProducts(team)
                expectSameBits(p.run(engine, data), alone, "\(workers) workers")
                expectSameBits(p.runPrepared(engine, data), alone, "\(workers) workers, prepared beforehand")
            }
        }
        expectSameBits(p.runSerial(TileProducts(Team()), data), alone, "by one worker alone")
    }

    @Test(arguments: ProductCase.small + ProductCase.large)
    func allLevelsGiveTheSameBits(_ p: ProductCase) {
        let data = p.data()
        let alone = p.run(TileProducts(Team()), data)
        // The baseline has no fused multiply-add and rounds twice.
        for kernels in KernelTable.runnable where kernels.level >= 3 {
            expectSameBits(p.run(TileProducts(Team(), kernels: kernels), data), alone, "level \(kernels.level)")
        }
    }

    @Test(
        .enabled(if: Precision.bf16.isSupported, "this CPU has no bfloat16 instructions"), arguments: ProductCase.small)
    func workersGiveTheSameBitsInBfloat16(_ p: ProductCase) throws {
        let data = p.data()
        let alone = p.run(TileProducts(Team(), precision: .bf16), data)
        try withTeam(of: 3) { team in
            expectSameBits(p.run(TileProducts(team, precision: .bf16), data), alone, "3 workers")
        }
    }
}
