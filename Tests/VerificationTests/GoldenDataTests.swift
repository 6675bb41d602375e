import Foundation
import Hardware
import Testing
import Verification

@Suite struct GoldenDataTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ModelTests/Fixtures").path

    @Test func everyCaseOfTheGoldenDataPasses() throws {
        var cases = 0
        try Verifier(team: Team(serial: ())).run(directory: Self.fixtures) { report in
            cases += 1
            #expect(
                report.passed,
                "\(report.file) \(report.name): \(report.failure ?? "\(report.deviation) of \(report.tolerance) in \(report.tensor)")"
            )
        }
        #expect(cases == 67)
    }
}
