import Checkpoints
import Foundation
import TestSupport
import Testing

/// A run owns its checkpoints: no other run goes on from them, writes over them or removes them.
@Suite(.serialized) struct RunOwnershipTests {
    private static let every = ["--checkpoint.every", "3", "--run.overwrite", "false"]

    private func run(_ space: Workspace, _ name: String, _ more: [String] = []) -> [String] {
        Self.every + ["--run.directory", "\(space.path)/\(name)"] + more
    }

    /// A run of nine steps that died when its checkpoint of step 3 was whole.
    private func cut(_ space: Workspace, _ name: String, _ more: [String] = []) async throws {
        let outcome = try await space.train(
            run(space, name, more + ["--training.steps", "9"]), environment: ["GECKO_FAULT": "manifest-durable:3"])
        #expect(outcome.exitCode == 137, "\(outcome.output)")
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        var all: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        where !name.contains("run.lock") {
            all[name] = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
        }
        return all
    }

    @Test func aSecondRunInOneFolderOfCheckpointsIsRefusedWhateverItAsksFor() async throws {
        let space = try Workspace()
        let shared = ["--checkpoint.directory", space.path + "/shd"]
        #expect(try await space.train(run(space, "a", shared)).exitCode == 0)
        let before = try contents(space.path + "/shd")
        let ways: [[String]] = [
            [], ["--training.steps", "8"], ["--resume"], ["--run.overwrite", "true"], ["--checkpoint.every", "0"],
            ["--checkpoint.keep", "1"], ["--optimizer.learning_rate", "0.01"],
        ]
        for more in ways {
            let other = try await space.train(run(space, "b", shared + more))
            #expect(other.exitCode == 1, "\(more): \(other.output)")
            #expect(
                other.output.contains("it holds the checkpoints of the run in \(space.path)/a, the newest of step 3"),
                "\(more): \(other.output)")
            #expect(other.output.contains("\(space.path)/shd/{run}"), "\(other.output)")
            #expect(try contents(space.path + "/shd") == before, "\(more)")
        }
        // The first one goes on as if nothing had been.
        let again = try await space.train(run(space, "a", shared + ["--training.steps", "6"]))
        #expect(again.exitCode == 0 && again.output.contains("resuming after step 3"), "\(again.output)")
        // Placeholders keep runs apart.
        for name in ["c", "d"] {
            let own = try await space.train(run(space, name, ["--checkpoint.directory", space.path + "/each{run}"]))
            #expect(own.exitCode == 0, "\(own.output)")
        }
        // Begun anew, its own checkpoints go; an import elsewhere doesn't come here either.
        let anew = try await space.train(run(space, "a", shared + ["--run.overwrite", "true"]))
        #expect(anew.exitCode == 0, "\(anew.output)")
        #expect(try CheckpointStore(space.path + "/shd").entries().compactMap { $0.manifest?.step } == [3])
        let imported = try await Mpirun.run(
            "gecko",
            ["checkpoint", "import", space.path + "/a/model.safetensors", space.path + "/run.toml"]
                + run(space, "e", shared), ranks: 0)
        #expect(imported.exitCode == 1 && imported.output.contains("already holds a run"), "\(imported.output)")
    }

    @Test func aFolderThatIsMovedGoesOnAndACopySharesNothing() async throws {
        let space = try Workspace()
        let manager = FileManager.default
        func at(_ name: String) -> String { "\(space.path)/\(name)" }
        let nine = ["--training.steps", "9"]
        let whole = try await space.train(run(space, "whole", nine))
        // Checkpoints in the folder: a copy is a run of its own from there on, and both end with the same bytes.
        try await cut(space, "a")
        try manager.copyItem(atPath: at("a"), toPath: at("b"))
        try manager.moveItem(atPath: at("a"), toPath: at("moved"))
        for name in ["b", "moved"] {
            let longer = try await space.train(run(space, name, nine))
            #expect(longer.output.contains("resuming after step 3"), "\(longer.output)")
            #expect(longer.digest == whole.digest, "\(name): \(longer.output)")
        }
        // Checkpoints elsewhere: the moved folder is the run still, the copy must not write there, too.
        let shared = ["--checkpoint.directory", at("shd")]
        try await cut(space, "s", shared)
        try manager.moveItem(atPath: at("s"), toPath: at("s2"))
        let moved = try await space.train(
            run(space, "s2", shared + nine), environment: ["GECKO_FAULT": "manifest-durable:6"])
        #expect(moved.exitCode == 137 && moved.output.contains("resuming after step 3"), "\(moved.output)")
        try manager.copyItem(atPath: at("s2"), toPath: at("copy"))
        let copy = try await space.train(run(space, "copy", shared + nine))
        #expect(copy.exitCode == 1 && copy.output.contains("is a copy of \(at("s2"))"), "\(copy.output)")
        // The folder is gone, its checkpoints are not: only who says so goes on with them.
        try manager.removeItem(atPath: at("s2"))
        let fresh = try await space.train(run(space, "s2", shared + nine))
        #expect(fresh.exitCode == 1 && fresh.output.contains("start with --resume"), "\(fresh.output)")
        let resumed = try await space.train(run(space, "s2", shared + nine + ["--resume"]))
        #expect(resumed.exitCode == 0 && resumed.digest == whole.digest, "\(resumed.output)")
    }

    @Test func nodeLocalCheckpointsOfAnotherRunStay() async throws {
        let space = try Workspace()
        let local = [
            "--checkpoint.every", "0", "--checkpoint.local_every", "1", "--checkpoint.local_directory",
            space.path + "/node/{rank}", "--pipeline.stages", "2",
        ]
        let cut = try await space.train(
            run(space, "a", local), environment: ["GECKO_FAULT": "snapshot-taken:3"])
        #expect(cut.exitCode != 0)
        let before = try contents(space.path + "/node")
        let ways: [[String]] = [[], ["--run.overwrite", "true"]]
        for more in ways {
            for ranks in [0, 2] {
                let other = try await space.train(run(space, "b", local + more), ranks: ranks)
                #expect(other.exitCode == 1, "\(other.output)")
                #expect(other.output.contains("holds the checkpoints of the run in \(space.path)/a"), "\(other.output)")
                #expect(try contents(space.path + "/node") == before)
            }
        }
        let again = try await space.train(run(space, "a", local))
        #expect(again.exitCode == 0 && again.output.contains("resuming after step"), "\(again.output)")
    }

    /// Checkpoints of older versions name no run; in their own run's folder they count.
    @Test func aRunOfAnOlderVersionGoesOn() async throws {
        let space = try Workspace()
        let whole = try await space.train(run(space, "whole", ["--training.steps", "9"]))
        try await cut(space, "a")
        let store = CheckpointStore(space.path + "/a/checkpoints")
        var manifest = try store.manifest(3)
        #expect(manifest.run?.directory == space.path + "/a")
        manifest.run = nil
        try store.commit(manifest)
        try FileManager.default.removeItem(atPath: space.path + "/a/run.id")
        let again = try await space.train(run(space, "a", ["--training.steps", "9"]))
        #expect(again.exitCode == 0 && again.output.contains("resuming after step 3"), "\(again.output)")
        #expect(again.digest == whole.digest)
        #expect(try store.manifest(9).run == nil)
    }
}
