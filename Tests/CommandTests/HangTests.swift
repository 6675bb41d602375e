import Foundation
import TestSupport
import Testing

/// A run that hangs says who waits for what, and ends.
@Suite(.serialized) struct HangTests {
    /// Rank 1 is stopped in the middle of training, as a node would that swaps or that somebody suspended.
    @Test func aStoppedPeerIsNamedAndTheJobEnds() async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let metrics = space.path + "/run/metrics.jsonl"
        let script = """
            [ "$\(Launchers.rankVariable)" = 1 ] && (until [ -s '\(metrics)' ]; do sleep 0.01; done; kill -STOP $$) &
            exec "$0" "$@"
            """
        let outcome = try await Mpirun.run(
            "/bin/sh",
            [
                "-c", script, gecko, "train", space.path + "/run.toml", "--machine.patience", "0.5", "--training.steps",
                "1000000", "--training.log_every", "1000000", "--run.directory", space.path + "/run",
            ], ranks: 2)
        #expect(outcome.exitCode != 0 && !outcome.timedOut, "\(outcome.output)")
        #expect(outcome.output.contains("rank 0 waited 0.5 s for"), "\(outcome.output)")
        let names =
            outcome.output.contains("Rank 1 on ") && outcome.output.contains("does not answer")
        #expect(names, "\(outcome.output)")
    }

    @Test func patienceMustBeATime() async throws {
        let space = try Workspace()
        for value in ["0", "-1", "soon"] {
            let outcome = try await space.train(["--machine.patience", value])
            #expect(outcome.exitCode != 0 && outcome.output.contains("machine.patience"), "\(outcome.output)")
        }
    }
}
