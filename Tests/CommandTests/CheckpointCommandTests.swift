import Checkpoints
import Foundation
import TestSupport
import Testing

/// Damaged checkpoints, storage that fails, the rules of starting again, and `gecko checkpoint`.
@Suite(.serialized) struct CheckpointCommandTests {
    private static let steps = ["--training.steps", "9", "--checkpoint.every", "3", "--run.overwrite", "false"]

    private func store(_ space: Workspace, _ run: String = "run") -> CheckpointStore {
        CheckpointStore("\(space.path)/\(run)/checkpoints")
    }

    /// A run that ended when the checkpoint of step 9 was whole, before its model was written.
    private func cutRun(_ space: Workspace) async throws {
        let cut = try await space.train(Self.steps, environment: ["GECKO_FAULT": "manifest-durable:9"])
        #expect(cut.exitCode != 0)
        #expect(try store(space).entries().compactMap { $0.manifest?.step } == [3, 6, 9])
    }

    @Test func damagedCheckpointsAreNamedAndTheOneBeforeIsTaken() async throws {
        let space = try Workspace()
        let whole = try await space.train(Self.steps + ["--run.directory", space.path + "/whole"])
        try await cutRun(space)
        let store = store(space)
        func damage(_ step: Int, _ change: (inout Data) -> Void) throws -> String {
            let path = "\(store.path(step))/rank-0000.safetensors"
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            change(&data)
            try data.write(to: URL(fileURLWithPath: path))
            return path
        }
        let flipped = try damage(9) { $0[$0.count - 5] ^= 1 }
        let cut = try damage(6) { $0.removeLast(100) }
        let verified = try await space.gecko("checkpoint", "verify", space.path + "/run")
        #expect(verified.exitCode == 1)
        #expect(verified.output.contains("step 9: DAMAGED: \(flipped): its sha256"), "\(verified.output)")
        #expect(verified.output.contains("step 6: DAMAGED: \(cut): it has"), "\(verified.output)")
        #expect(verified.output.contains("step 3: whole"), "\(verified.output)")
        let again = try await space.train(Self.steps, ranks: 2)
        #expect(again.output.contains("checkpoint of step 9 cannot be used: \(flipped)"), "\(again.output)")
        #expect(again.output.contains("checkpoint of step 6 cannot be used: \(cut)"), "\(again.output)")
        #expect(again.output.contains("resuming after step 3"), "\(again.output)")
        #expect(again.digest == whole.digest, "\(again.output)")
        #expect(try await space.gecko("checkpoint", "verify", space.path + "/run").exitCode == 0)
    }

    @Test func withoutAWholeCheckpointNothingIsThrownAway() async throws {
        let space = try Workspace()
        try await cutRun(space)
        for step in [3, 6, 9] { try Data("{}".utf8).write(to: URL(fileURLWithPath: store(space).manifestPath(step))) }
        let again = try await space.train(Self.steps)
        #expect(again.exitCode != 0)
        #expect(again.output.contains("none of the checkpoints"), "\(again.output)")
        #expect(try store(space).entries().count == 3)
    }

    /// A full disk, on any rank and at any point, costs a checkpoint and nothing else.
    @Test(arguments: [
        "part-begin:6:1:fail", "part-half:6:0:fail", "part-flushed:6:1:fail", "manifest-half:6:0:fail",
        "manifest-flushed:6:0:fail", "cleanup-begin:9:0:fail", "cleanup-half:9:0:fail",
    ])
    func storageThatFailsStopsNothing(fault: String) async throws {
        let space = try Workspace()
        let more = Self.steps + ["--checkpoint.keep", "1", "--pipeline.stages", "2"]
        let outcome = try await space.train(more, environment: ["GECKO_FAULT": fault])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("No space left on device"), "\(outcome.output)")
        let entries = try store(space).entries().compactMap { $0.manifest?.step }
        #expect(entries.last == 9)
        if fault.contains(":6:") {
            #expect(
                outcome.output.contains("checkpoint of step 6 was given up; the newest whole one is that of step 3"))
            #expect(!FileManager.default.fileExists(atPath: store(space).path(6)))
        }
        #expect(try await space.gecko("checkpoint", "verify", space.path + "/run").exitCode == 0)
    }

    @Test func aRunStartedAgainKnowsWhatToDo() async throws {
        let space = try Workspace()
        let fresh = try await space.train(Self.steps + ["--resume"])
        #expect(fresh.output.contains("nothing to resume"), "\(fresh.output)")
        let digest = try #require(fresh.digest)
        // Finished: refused, or with --resume told again.
        #expect(try await space.train(Self.steps).output.contains("already holds one that is finished"))
        let again = try await space.train(Self.steps + ["--resume"])
        #expect(again.exitCode == 0 && again.digest == digest, "\(again.output)")
        // Another model or order of data is another run; a grown number of steps is not.
        let other = try await space.train(Self.steps + ["--training.steps", "12", "--training.seed", "4"])
        #expect(other.exitCode != 0 && other.output.contains("training.seed was 1 and is 4"), "\(other.output)")
        let longer = try await space.train(Self.steps + ["--training.steps", "12"])
        #expect(longer.exitCode == 0, "\(longer.output)")
        #expect(longer.output.contains("resuming after step 9"))
        #expect(longer.output.contains("note: training.steps was 9 and is 12"))
        // Another text under the same name.
        try space.write("corpus.txt", String(repeating: "quite another text. ", count: 900))
        let text = try await space.train(Self.steps + ["--training.steps", "15"])
        #expect(text.exitCode != 0 && text.output.contains("is not the text"), "\(text.output)")
        // run.overwrite begins anew, without the old checkpoints.
        let anew = try await space.train(["--checkpoint.every", "0", "--run.overwrite", "true"])
        #expect(anew.exitCode == 0)
        #expect(try store(space).entries().isEmpty)
    }

    @Test func anotherNumberOfReplicasReadsTheSameSequences() async throws {
        let space = try Workspace()
        try await cutRun(space)
        let two = try await space.train(
            Self.steps + ["--training.steps", "12", "--pipeline.replicas", "2", "--data.streams", "false"])
        #expect(two.exitCode == 0, "\(two.output)")
        #expect(two.output.contains("pipeline.replicas was 1 and is 2"))
        let manifest = try CheckpointStore(store(space).directory).manifest(12)
        #expect(manifest.progress.sequences == 48 && manifest.layout.replicas == 2)
        // The same sequences give the same loss but for rounding.
        let one = try await space.train(
            Self.steps + ["--training.steps", "12", "--run.directory", space.path + "/one"])
        func losses(_ run: String) throws -> [Double] {
            try String(contentsOfFile: "\(space.path)/\(run)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
                .map {
                    let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                    return try #require(line?["loss"] as? Double)
                }
        }
        #expect(one.exitCode == 0)
        for (a, b) in zip(try losses("run"), try losses("one")).dropFirst(9) { #expect(abs(a - b) < 2e-2 * b) }
    }

    @Test(arguments: Workspace.models.keys.sorted())
    func exportAndImportAreEachOthersInverse(_ name: String) async throws {
        let space = try Workspace(name)
        let run = try await space.train(Self.steps)
        let model = space.path + "/model.safetensors"
        let exported = try await space.gecko("checkpoint", "export", space.path + "/run", model)
        #expect(exported.digest == run.digest, "\(exported.output)")
        let tuned = ["--run.directory", space.path + "/tuned"]
        let imported = try await Mpirun.run(
            "gecko", ["checkpoint", "import", model, space.path + "/run.toml"] + tuned, ranks: 0)
        #expect(imported.exitCode == 0, "\(imported.output)")
        let list = try await space.gecko("checkpoint", "list", space.path + "/tuned")
        #expect(list.output.contains("complete"), "\(list.output)")
        let back = try await space.gecko(
            "checkpoint", "export", space.path + "/tuned", space.path + "/back.safetensors")
        #expect(back.digest == run.digest)
        let trained = try await space.train(tuned + ["--resume"], ranks: 2)
        #expect(trained.exitCode == 0 && trained.output.contains("imported"), "\(trained.output)")
        let wrong = try await Mpirun.run(
            "gecko",
            [
                "checkpoint", "import", model, space.path + "/run.toml", "--model.layers", "5", "--run.directory",
                space.path + "/no",
            ],
            ranks: 0)
        #expect(wrong.exitCode != 0 && wrong.output.contains("lacks"), "\(wrong.output)")
        let shown = try await space.gecko("checkpoint", "inspect", space.path + "/run", "--tensors", "--step", "6")
        let map = name == "gecko" ? "layers.0.mega.wv.weight.adam_m  F32 [32, 32]" : ".weight.adam_m  F32 [32, 32]"
        #expect(shown.output.contains(map), "\(shown.output)")
        #expect(try await space.gecko("checkpoint", "inspect", space.path + "/run", "--step", "7").exitCode != 0)
    }
}
