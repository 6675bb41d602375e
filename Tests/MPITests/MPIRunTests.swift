import Foundation
import MPI
import TestSupport
import Testing

/// Each under a fresh mpirun, with more ranks than cores.
@Suite struct MPIRunTests {
    @Test(arguments: [1, 2, 3, 4])
    func everyRankPassesEveryProbe(ranks: Int) async throws {
        let probes = ["pingpong", "ordering", "exchange", "collectives", "sync"]
        let outcome = try await Mpirun.run("mpi-probe", probes, ranks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        for probe in probes {
            for rank in 0..<ranks { #expect(outcome.output.contains("\(probe) ok: rank \(rank) of \(ranks)")) }
        }
    }

    @Test func withoutALauncherAWorldHasOneRank() async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["collectives"], ranks: 0)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("collectives ok: rank 0 of 1"))
    }

    @Test(arguments: [2, 3])
    func aWaitWithoutEndSaysWhatIsMissingAndEndsTheJob(ranks: Int) async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["timeout"], ranks: ranks)
        #expect(outcome.exitCode != 0)
        #expect(!outcome.timedOut)
        #expect(outcome.output.contains("rank \(ranks - 1) waited 0.3 s for F of sequence 2, slice 1"))
        #expect(outcome.output.contains("from rank 0, tag 777"))
        #expect(outcome.output.contains("Rank 0 waits for a quiet moment."))
    }

    @Test func aMessageOfAnotherSizeIsAnError() async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["wrong-size"], ranks: 2)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("rank 1 expected 40 bytes from rank 0 (tag 600) and got 36."))
        #expect(outcome.output.contains("rank 1 expected 40 bytes from rank 0 (tag 601) and got more."))
    }

    @Test func oneRanksFailureEndsTheJob() async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["failure"], ranks: 3)
        #expect(outcome.exitCode != 0)
        #expect(!outcome.timedOut)
        #expect(outcome.output.contains("rank 2 gives up"))
    }

    @Test func aRunThatTakesTooLongIsEnded() async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["stuck"], ranks: 2, limit: 2)
        #expect(outcome.timedOut)
        // MPICH's launcher, told to end, may do so with 0.
        if MPILibrary.current != .mpich { #expect(outcome.exitCode != 0) }
        #expect(outcome.seconds < 15)
    }

    /// As with UCX, where who leaves late can wait for ever for those that left early.
    @Test func anEndThatMPIHoldsUpIsOneAllTheSame() async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["stays-behind"], ranks: 2)
        // MPICH's launcher kills whoever is still there when the first one has ended, and may tell of that: its code is
        // then either one's, or their bits together.
        let codes: [Int32] = MPILibrary.current == .mpich ? [7, 128 + SIGKILL, 7 | 128, 7 | (128 + SIGKILL)] : [7]
        #expect(codes.contains(outcome.exitCode) && !outcome.timedOut, "\(outcome.exitCode): \(outcome.output)")
    }

    /// Each process would be a world of its own; all see it at once and say so once.
    @Test(.enabled(if: Launchers.isInstalled(MPILibrary.current.other), "needs the launcher of another MPI"))
    func theLauncherOfAnotherMPIIsRefused() async throws {
        let outcome = try await Mpirun.run("mpi-probe", ["collectives"], ranks: 2, library: MPILibrary.current.other)
        #expect(outcome.exitCode != 0 && !outcome.timedOut)
        let told = outcome.output.components(separatedBy: "started 2 processes, but to this one ").count - 1
        #expect((1...2).contains(told), "\(outcome.output)")
        #expect(!outcome.output.contains("collectives ok"))
    }
}
