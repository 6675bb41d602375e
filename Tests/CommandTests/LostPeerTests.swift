import Glibc
import MPI
import TestSupport
import Testing

/// A rank that stands still is noticed: every other one says who is missing and what it waits for, and the job ends
/// with a code of its own.
@Suite(.serialized) struct LostPeerTests {
    private static let impatient = ["--machine.patience", "1", "--training.steps", "12", "--run.overwrite", "true"]

    @Test(arguments: ["step:5:1:stop", "gradients:5:2:stop"])
    func aStoppedRankIsNamedByAllOthers(fault: String) async throws {
        let space = try Workspace()
        let missing = fault.contains(":1:") ? 1 : 2
        let outcome = try await space.train(
            Self.impatient + ["--model.layers", "3"], ranks: 3, environment: ["GECKO_FAULT": fault])
        #expect(outcome.exitCode == 69, "\(outcome.output)")
        #expect(outcome.seconds < 20)
        let errors = outcome.output.split(separator: "\n").filter { $0.hasPrefix("Error:") }
        for rank in 0..<3 where rank != missing {
            let own = errors.first { $0.contains("rank \(rank) wait") }
            #expect(own?.contains("Rank \(missing) on ") == true, "rank \(rank): \(outcome.output)")
            #expect(own?.contains("does not answer") == true, "rank \(rank): \(outcome.output)")
        }
        // In which action, or at what.
        #expect(outcome.output.contains("action ") || outcome.output.contains("of step 6"), "\(outcome.output)")
    }

    @Test(arguments: [0, 2]) func aRankThatIsStuckInAKernelEndsTheJob(ranks: Int) async throws {
        let space = try Workspace()
        let outcome = try await space.train(
            Self.impatient + ["--pipeline.stages", "2"], ranks: ranks,
            environment: ["GECKO_FAULT": "gradients:5:1:hang"])
        #expect(outcome.exitCode == 69, "\(outcome.output)")
        #expect(outcome.seconds < 20)
        #expect(
            outcome.output.contains("rank 1 has given no sign of life for 1.0 s: it has finished its row of step 6"),
            "\(outcome.output)")
        #expect(outcome.output.contains("rank 0 wait"), "\(outcome.output)")
    }

    /// Stopped when the first rank already waits for all at the start: before the configuration is known.
    @Test func aRankThatIsMissingAtTheStartIsNoticed() async throws {
        let space = try Workspace()
        let outcome = try await space.train(Self.impatient, ranks: 2, environment: ["GECKO_FAULT": "start:0:1:stop"])
        // MPICH's launcher kills the stopped rank, and may tell of that.
        let codes: [Int32] = MPILibrary.current == .mpich ? [69, 128 + SIGKILL] : [69]
        #expect(codes.contains(outcome.exitCode), "\(outcome.output)")
        #expect(outcome.output.contains("rank 0 has given no sign of life"), "\(outcome.output)")
        #expect(outcome.output.contains("it starts MPI, which waits for all ranks"), "\(outcome.output)")
    }
}
