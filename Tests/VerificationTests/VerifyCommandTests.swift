import Foundation
import TestSupport
import Testing

/// `gecko verify` as its users meet it.
@Suite struct VerifyCommandTests {
    private func verify(_ arguments: String...) throws -> (passed: Bool, output: String) {
        try runProgram(Mpirun.programs.appendingPathComponent("gecko").path, ["verify"] + arguments)
    }

    private struct Summary: Decodable {
        struct Case: Decodable {
            let file, `case`, tensor, failure: String
            let passed: Bool
            let deviation, tolerance: Double
        }
        let cases: [Case]
        let passed, failed: Int
        let worst_deviation: Double
    }

    private func failingFolder() throws -> GoldenFolder {
        let folder = try GoldenFolder()
        try folder.copy("op_norms") { $0 == "rms.out.y" ? .perturb(by: 0.5) : .keep }
        try folder.copy("op_rotary")
        return folder
    }

    @Test func allPassingEndsWithZeroAndASummary() throws {
        let folder = try GoldenFolder()
        try folder.copy("op_norms")
        try folder.copy("op_rotary")
        let run = try verify(folder.path)
        #expect(run.passed)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 9)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("ok  ") })
        #expect(lines.last?.hasPrefix("8 cases, 8 passed, 0 failed; worst deviation ") == true)
    }

    @Test func oneFailureEndsWithAnotherStatusAndNamesTheTensor() throws {
        let folder = try failingFolder()
        let run = try verify(folder.path)
        #expect(!run.passed)
        let failures = run.output.split(separator: "\n").filter { $0.hasPrefix("FAIL") }
        #expect(failures.count == 1)
        #expect(failures.first?.contains("op_norms rms ") == true && failures.first?.contains("out.y") == true)
        #expect(run.output.contains("8 cases, 7 passed, 1 failed"))
    }

    @Test func jsonHoldsTheSame() throws {
        let folder = try failingFolder()
        let run = try verify(folder.path, "--json")
        #expect(!run.passed)
        let summary = try JSONDecoder().decode(Summary.self, from: Data(run.output.utf8))
        #expect(summary.cases.count == 8 && summary.passed == 7 && summary.failed == 1)
        let failed = try #require(summary.cases.first { !$0.passed })
        #expect((failed.file, failed.case, failed.tensor) == ("op_norms.safetensors", "rms", "out.y"))
        #expect(failed.deviation > failed.tolerance && summary.worst_deviation == failed.deviation)
    }

    @Test func aFolderThatIsNotThereIsAClearError() throws {
        let run = try verify("/nowhere/at/all")
        #expect(!run.passed)
        #expect(run.output.contains("cannot read the directory '/nowhere/at/all'"))
    }
}
