import Foundation
import Hardware
import Kernels
import Numerics
import TestSupport
import Testing

/// A product's bits don't depend on how many workers share it. That is promised for the library's AVX2 kernels, which the program
/// selects as it starts; a test run hasn't, so it starts itself again with that choice.
@Suite struct MatrixProductSplitTests {
    init() throws { try MatrixProduct.useCallersThreads() }

    @Test(
        .enabled(if: MatrixProduct.isIndependentOfWorkers, "with the library's other kernels nothing is promised"),
        arguments: ProductCase.small + ProductCase.large)
    func upToSixWorkersGiveTheSameBits(_ p: ProductCase) throws {
        let data = p.data()
        let alone = p.run(Team(), data)
        for workers in 2...6 {
            try withTeam(of: workers) { team in
                let differing = zip(alone, p.run(team, data)).filter { $0.bitPattern != $1.bitPattern }.count
                #expect(differing == 0, "\(differing) elements differ with \(workers) workers")
            }
        }
    }

    @Test(
        .enabled(
            if: KernelTable.best.level >= 3 && ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil,
            "the environment has chosen the library's kernels already, or this CPU lacks AVX2"))
    func theyAreTheSameWithTheKernelsThatTheProgramSelects() throws {
        let (passed, output) = try rerun("MatrixProduct(Split)?Tests", environment: ["OPENBLAS_CORETYPE": "Haswell"])
        #expect(passed, "\(output.suffix(2000))")
        let hasRun = output.contains("Test upToSixWorkersGiveTheSameBits(_:) with")
        #expect(hasRun)
    }
}
