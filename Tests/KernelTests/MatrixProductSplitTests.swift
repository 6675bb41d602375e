import Foundation
import Hardware
import Numerics
import Testing

/// A product's bits don't depend on how many workers share it. That is promised for the library's AVX2 kernels, which the program
/// selects as it starts; a test run hasn't, so it starts itself again with that choice.
@Suite struct MatrixProductSplitTests {
    init() { MatrixProduct.useCallersThreads() }

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
        .enabled(if: !MatrixProduct.isIndependentOfWorkers, "the library's kernels are the promised ones already"))
    func theyAreTheSameWithTheKernelsThatTheProgramSelects() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", "MatrixProduct(Split)?Tests"]
        process.environment = ProcessInfo.processInfo.environment.merging(["OPENBLAS_CORETYPE": "Haswell"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text.suffix(2000))")
        #expect(text.contains("Test upToSixWorkersGiveTheSameBits(_:) with"))
    }
}
