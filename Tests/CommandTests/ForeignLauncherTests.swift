import Foundation
import MPI
import TestSupport
import Testing

/// A launcher of another MPI starts every rank as a world of its own: without a word, if gecko did not compare.
@Suite struct ForeignLauncherTests {
    @Test(
        .enabled(if: Launchers.isInstalled(MPILibrary.current.other), "needs the launcher of another MPI"),
        arguments: [["train"], ["topology"], ["doctor", "--golden", "none"]])
    func isRefusedBeforeAnyWork(command: [String]) async throws {
        let space = try Workspace()
        let run = command == ["train"] ? ["\(space.path)/run.toml", "--run.directory", "\(space.path)/run"] : []
        let other = MPILibrary.current.other
        let outcome = try await Mpirun.run("gecko", command + run, ranks: 3, library: other)
        #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome.output)")
        let told = outcome.output.components(separatedBy: " started 3 processes, but to this one ").count - 1
        #expect((1...3).contains(told), "\(outcome.output)")
        #expect(outcome.output.contains("GECKO_MPI=\(other.name) bash jobs/setup.sh"), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: space.path + "/run"))
    }
}
