import Foundation
import Hardware
import Kernels
import Numerics
import Testing
import Verification

@Suite struct GoldenDataTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ModelTests/Fixtures").path

    /// A folder of golden data within the fixtures, and how many cases it has.
    struct Folder: Sendable, CustomTestStringConvertible {
        let name: String
        let cases: Int
        var testDescription: String { name }
    }

    static let folders = [
        Folder(name: ".", cases: 67), Folder(name: "llama", cases: 24), Folder(name: "megalodon", cases: 33),
        Folder(name: "mega", cases: 34),
    ]

    @Test(arguments: folders) func everyCaseOfTheGoldenDataPasses(_ folder: Folder) throws {
        try expectAllToPass(folder, TileProducts(Team(serial: ())))
    }

    /// With the tiles of this CPU for attention, and without any, as on a CPU that has none.
    @Test(arguments: folders, [KernelTable.best.level, 0])
    func everyCasePassesWithOpenBLAS(_ folder: Folder, level: Int) throws {
        let kernels = try #require(KernelTable.at(level: level))
        try expectAllToPass(
            folder, OpenBLASProducts(Team(serial: ()), try OpenBLASLibrary.opened.get(), kernels: kernels))
    }

    private func expectAllToPass(_ folder: Folder, _ matrices: any MatrixProducts) throws {
        var cases = 0
        try Verifier(matrices).run(directory: Self.fixtures + "/" + folder.name) { report in
            cases += 1
            #expect(
                report.passed,
                """
                \(report.file) \(report.name): \
                \(report.failure ?? "\(report.deviation) of \(report.tolerance) in \(report.tensor)")
                """
            )
        }
        #expect(cases == folder.cases)
    }
}
