import Checkpoints
import Foundation
import TestSupport
import Testing

/// What cannot be had in a run's middle costs a checkpoint; what cannot be written at its end is told with what to do.
@Suite(.serialized) struct RunEndTests {
    private static let steps = ["--training.steps", "6", "--checkpoint.every", "2", "--run.overwrite", "false"]

    @Test(arguments: [0, 2]) func theLastWordsSayFromWhereTheSameCommandGoesOn(ranks: Int) async throws {
        let space = try Workspace()
        let whole = try await space.train(Self.steps + ["--run.directory", space.path + "/whole"])
        let digest = try #require(whole.digest, "\(whole.output)")
        for (name, faults, more, word, goesOn) in [
            ("a", "part-half:6:0:fail,save-model:6:0:fail", [], "it goes on after step 4", "resuming after step 4"),
            ("b", "save-model:6:0:fail", [], "only the end is done again", "resuming after step 6"),
            ("c", "save-model:6:0:fail", ["--checkpoint.every", "0"], "it begins at step 0", "starting at step 0"),
        ] as [(String, String, [String], String, String)] {
            let run = Self.steps + ["--run.directory", "\(space.path)/\(name)"] + more
            let cut = try await space.train(run, ranks: ranks, environment: ["GECKO_FAULT": faults])
            #expect(cut.exitCode == 1, "\(name): \(cut.output)")
            #expect(cut.output.contains("the end of the run is not saved: "), "\(name): \(cut.output)")
            #expect(
                cut.output.firstMatch(of: /Free [\d.]+ [KMG]iB \([\d.]+ [KMGT]iB are free now\)/) != nil,
                "\(cut.output)")
            #expect(cut.output.contains("start the same command again: " + word), "\(name): \(cut.output)")
            #expect(cut.digest == nil && !cut.output.contains("Fatal"))
            let again = try await space.train(run, ranks: ranks)
            #expect(again.exitCode == 0 && again.digest == digest, "\(name): \(again.output)")
            #expect(again.output.contains(goesOn), "\(name): \(again.output)")
        }
    }

    /// No file may be larger than this: neither the checkpoints nor the model find room.
    @Test func aLimitOnTheSizeOfFilesIsLikeAFullDisk() async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let words = (["train", space.path + "/run.toml"] + Self.steps).joined(separator: " ")
        let outcome = try await Mpirun.run(
            "/bin/bash", ["-c", "ulimit -f 24; exec '\(gecko)' \(words)"], ranks: 0)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains("the end of the run is not saved: "), "\(outcome.output)")
        #expect(outcome.output.contains("File too large. Free "), "\(outcome.output)")
        #expect(outcome.output.contains("it begins at step 0"), "\(outcome.output)")
    }

    @Test(arguments: [0, 2]) func memoryThatIsRefusedCostsACheckpointAndNothingElse(ranks: Int) async throws {
        let space = try Workspace()
        let run = Self.steps + ["--data.streams", "true", "--pipeline.stages", "2"]
        let whole = try await space.train(run + ["--run.directory", space.path + "/whole"])
        let outcome = try await space.train(run, ranks: ranks, environment: ["GECKO_FAULT": "memory:4:1:fail"])
        #expect(outcome.exitCode == 0 && outcome.digest == whole.digest, "\(outcome.output)")
        #expect(
            outcome.output.contains("rank 1: cannot write the checkpoint of step 4: there is no memory"),
            "\(outcome.output)")
        #expect(
            outcome.output.contains("step 4 was given up; the newest whole one is that of step 2"), "\(outcome.output)")
        #expect(
            try CheckpointStore(space.path + "/run/checkpoints").entries().compactMap { $0.manifest?.step } == [2, 6])
    }

    @Test func aWarmUpBeyondTheEndIsTold() async throws {
        let space = try Workspace()
        let outcome = try await space.train(["--optimizer.warmup", "100"])
        #expect(
            outcome.output.contains("note: the run of 3 steps ends within the warm-up of 100, at 3 %"),
            "\(outcome.output)")
        let short = try await space.train(["--optimizer.warmup", "1"])
        #expect(!short.output.contains("warm-up"))
    }
}
