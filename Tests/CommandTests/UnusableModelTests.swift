import Checkpoints
import Files
import Foundation
import TestSupport
import Testing

/// A model that is not finite is no model: the exit code, the run's folder, its checkpoints and every command know it.
@Suite(.serialized) struct UnusableModelTests {
    private static let steps = ["--training.steps", "6", "--checkpoint.every", "2", "--run.overwrite", "false"]

    private func exists(_ space: Workspace, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(space.path)/\(name)")
    }

    private func saved(_ space: Workspace) throws -> [Int] {
        try CheckpointStore(space.path + "/run/checkpoints").entries().compactMap { $0.manifest?.step }
    }

    @Test(arguments: [0, 2]) func aRunThatDivergesHasNoModelAndNoCheckpointOfIt(ranks: Int) async throws {
        let space = try Workspace()
        let outcome = try await space.train(
            Self.steps + ["--optimizer.learning_rate", "1e30", "--optimizer.weight_decay", "0"], ranks: ranks)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains("is not finite"), "\(outcome.output)")
        #expect(outcome.output.contains("loss nan") || outcome.output.contains("loss inf"), "\(outcome.output)")
        #expect(outcome.digest == nil && !exists(space, "run/model.safetensors"))
        #expect(try saved(space).isEmpty)
        let generated = try await space.gecko("generate", space.path + "/run", "--tokens", "5")
        #expect(generated.exitCode == 1, "\(generated.output)")
    }

    /// The very last step is bad; the state before it is good, and stays.
    @Test(arguments: [0, 2]) func aLastStepThatIsNotFiniteIsNoEnd(ranks: Int) async throws {
        let space = try Workspace()
        let fault = ["GECKO_FAULT": "gradients:5:0:nan"]
        let outcome = try await space.train(Self.steps, ranks: ranks, environment: fault)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(
            outcome.output.contains("the model is not usable and is not written: the loss of step 6"),
            "\(outcome.output)")
        #expect(!exists(space, "run/model.safetensors"))
        #expect(outcome.output.contains("The newest checkpoint, of step 4, is finite"), "\(outcome.output)")
        #expect(try saved(space) == [2, 4])
        // The same command comes to the same end; with more steps the run goes on.
        let same = try await space.train(Self.steps, ranks: ranks, environment: fault)
        #expect(same.exitCode == 1 && same.output.contains("resuming after step 4"), "\(same.output)")
        let longer = try await space.train(Self.steps + ["--training.steps", "8"], ranks: ranks, environment: fault)
        #expect(longer.exitCode == 0 && longer.output.contains("resuming after step 4"), "\(longer.output)")
    }

    /// A signal in the middle of it: what is saved is marked, and the last good checkpoint stays, however few are kept.
    @Test func aStopWhileItDivergesKeepsTheLastGoodCheckpoint() async throws {
        let space = try Workspace()
        let run = Self.steps + ["--checkpoint.keep", "1"]
        let nan = "gradients:4:0:nan"
        let cut = try await space.train(run, environment: ["GECKO_FAULT": nan + ",step:4:0:term"])
        #expect(cut.exitCode == 75 && cut.output.contains("after step 5: saved"), "\(cut.output)")
        #expect(try saved(space) == [4, 5])
        let list = try await space.gecko("checkpoint", "list", space.path + "/run")
        #expect(list.output.contains("complete, but its last step was not finite"), "\(list.output)")
        let verified = try await space.gecko("checkpoint", "verify", space.path + "/run")
        #expect(
            verified.exitCode == 1 && verified.output.contains("step 5: NOT FINITE: its last step"),
            "\(verified.output)")
        let generated = try await space.gecko("generate", space.path + "/run", "--tokens", "3")
        #expect(generated.exitCode == 0 && generated.output.contains("the checkpoint of step 4"), "\(generated.output)")
        for command in [["generate"], ["checkpoint", "export"]] {
            let output = command.count > 1 ? [space.path + "/x.safetensors"] : []
            let refused = try await Mpirun.run(
                "gecko", command + [space.path + "/run"] + output + ["--step", "5"], ranks: 0)
            #expect(
                refused.exitCode == 1 && refused.output.contains("its last step was not finite"), "\(refused.output)")
        }
        // The same bytes as without the stop: one step was skipped in both.
        let whole = try await space.train(
            run + ["--run.directory", space.path + "/whole"], environment: ["GECKO_FAULT": nan])
        let again = try await space.train(run)
        #expect(again.exitCode == 0 && again.digest == whole.digest, "\(again.output)")
    }

    /// The loss may stay finite while parameters no longer are.
    @Test func parametersThatAreNotFiniteAreFoundWhateverTheLossSays() async throws {
        let space = try Workspace()
        #expect(try await space.train(Self.steps).exitCode == 0)
        let model = space.path + "/run/model.safetensors"
        let file = try SafetensorsFile(model)
        for (value, word) in [(Float.nan, "nan"), (Float.infinity, "inf"), (-Float.infinity, "-inf")] {
            let bad = "\(space.path)/bad.safetensors"
            let writer = try SafetensorsWriter(
                bad, file.entries.map { .init($0.name, $0.type, $0.shape) }, metadata: file.metadata)
            for (i, entry) in file.entries.enumerated() {
                var values = try file.floats(entry.name)
                if i == 3 { values[values.count - 1] = value }
                try writer.write(entry.name, values)
            }
            try writer.finish()
            let name = file.entries[3].name
            for command in [
                ["generate", bad, "--tokens", "3"],
                [
                    "checkpoint", "import", bad, space.path + "/run.toml", "--run.directory", space.path + "/tuned",
                ],
            ] {
                let outcome = try await Mpirun.run("gecko", command, ranks: 0)
                #expect(outcome.exitCode == 1, "\(command): \(outcome.output)")
                #expect(outcome.output.contains("tensor '\(name)' is not finite (element "), "\(outcome.output)")
                #expect(outcome.output.contains("is \(word))"), "\(outcome.output)")
            }
            #expect(!exists(space, "tuned/checkpoints"))
        }
    }

    /// Such a checkpoint can only come from an older version; the newest good one counts.
    @Test func aCheckpointThatIsNotFiniteIsNamedAndTheOneBeforeIsTaken() async throws {
        let space = try Workspace()
        let whole = try await space.train(Self.steps + ["--run.directory", space.path + "/whole"])
        let cut = try await space.train(Self.steps, environment: ["GECKO_FAULT": "manifest-durable:4"])
        #expect(cut.exitCode != 0)
        #expect(try saved(space) == [2, 4])
        try spoil(CheckpointStore(space.path + "/run/checkpoints"), 4)
        let verified = try await space.gecko("checkpoint", "verify", space.path + "/run")
        #expect(verified.exitCode == 1 && verified.output.contains("step 4: NOT FINITE: "), "\(verified.output)")
        let exported = try await space.gecko("checkpoint", "export", space.path + "/run", space.path + "/x.safetensors")
        #expect(exported.exitCode == 1 && exported.output.contains("is not finite"), "\(exported.output)")
        #expect(!exists(space, "x.safetensors"))
        let generated = try await space.gecko("generate", space.path + "/run", "--tokens", "3")
        #expect(generated.exitCode == 0 && generated.output.contains("the checkpoint of step 2"), "\(generated.output)")
        let asked = try await space.gecko("generate", space.path + "/run", "--tokens", "3", "--step", "4")
        #expect(asked.exitCode == 1 && asked.output.contains("is not finite"), "\(asked.output)")
        let again = try await space.train(Self.steps, ranks: 2)
        #expect(again.output.contains("resuming after step 2") && again.digest == whole.digest, "\(again.output)")
    }

    private func spoil(_ store: CheckpointStore, _ step: Int) throws {
        var manifest = try store.manifest(step)
        let path = "\(store.path(step))/\(manifest.files[0].name)"
        let file = try SafetensorsFile(path)
        let writer = try SafetensorsWriter(
            path, file.entries.map { .init($0.name, $0.type, $0.shape) }, metadata: file.metadata)
        for entry in file.entries {
            var values = try file.floats(entry.name)
            if entry.name.hasSuffix(".adam_v") { values[0] = .infinity }
            try writer.write(entry.name, values)
        }
        let (size, sha256) = try writer.finish()
        manifest.files[0].size = size
        manifest.files[0].sha256 = try #require(sha256)
        try store.commit(manifest)
    }

    /// A large loss is printed as one, and the divergence is said once.
    @Test func aLossBeyondAllBoundsIsTold() async throws {
        let space = try Workspace()
        let outcome = try await space.train([
            "--training.steps", "16", "--optimizer.learning_rate", "30", "--optimizer.weight_decay", "0",
            "--optimizer.warmup", "2",
            "--training.log_every", "1", "--training.max_nonfinite", "100",
        ])
        #expect(outcome.output.components(separatedBy: "the run diverges").count == 2, "\(outcome.output)")
        #expect(outcome.output.firstMatch(of: /loss \d{8}/) == nil, "\(outcome.output)")
    }
}
