import Foundation
import Hardware
import Kernels
import Numerics
import Testing
import Verification

@Suite struct GoldenDataTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ModelTests/Fixtures").path

    @Test func everyCaseOfTheGoldenDataPasses() throws {
        try expectAllToPass(TileProducts(Team(serial: ())))
    }

    /// With the tiles of this CPU for attention, and without any, as on a CPU that has none.
    @Test(arguments: [KernelTable.best.level, 0])
    func everyCasePassesWithOpenBLAS(level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        try expectAllToPass(
            OpenBLASProducts(Team(serial: ()), try OpenBLASLibrary.opened.get(), kernels: kernels))
    }

    private func expectAllToPass(_ matrices: any MatrixProducts) throws {
        var cases = 0
        try Verifier(matrices).run(directory: Self.fixtures) { report in
            cases += 1
            #expect(
                report.passed,
                """
                \(report.file) \(report.name): \
                \(report.failure ?? "\(report.deviation) of \(report.tolerance) in \(report.tensor)")
                """
            )
        }
        #expect(cases == 67)
    }
}
