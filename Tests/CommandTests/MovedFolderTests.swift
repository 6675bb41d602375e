import Foundation
import TestSupport
import Testing

/// A folder that is renamed, removed or replaced while its run goes on.
@Suite(.serialized) struct MovedFolderTests {
    /// Runs until it has begun to train, does something to its folder, stops it with SIGTERM, and waits.
    private func train(
        _ space: Workspace, _ change: String, _ more: String = "", stop: Bool = true
    ) async throws -> Mpirun.Outcome {
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let steps = stop ? 1_000_000 : 300
        let script = """
            cd '\(space.path)'
            '\(gecko)' train run.toml --run.overwrite false --run.directory run --training.steps \(steps) \
                --training.evaluate_every 0 \(more) &
            until [[ -s run/metrics.jsonl ]]; do sleep 0.01; done
            \(change)
            \(stop ? "kill -TERM $!" : "")
            wait $!
            """
        return try await Mpirun.run("/bin/bash", ["-c", script], ranks: 0)
    }

    private func exists(_ space: Workspace, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(space.path)/\(name)")
    }

    @Test(arguments: ["50", "1", "0"]) func aRenamedFolderIsNoticedAndNothingIsSaidToBeSaved(every: String) async throws
    {
        let space = try Workspace()
        let outcome = try await train(space, "mv run moved", "--checkpoint.every \(every)")
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains("could NOT be saved"), "\(outcome.output)")
        #expect(!exists(space, "run"), "a new folder was begun")
        // Under its new name it goes on.
        let again = try await space.train(
            ["--run.overwrite", "false", "--run.directory", space.path + "/moved", "--training.steps", "2"])
        #expect(again.output.contains("no whole checkpoint") || again.output.contains("resuming"), "\(again.output)")
    }

    @Test func aFolderOfCheckpointsThatIsRenamedRemovedOrReplaced() async throws {
        for (change, word) in [
            ("mv run/checkpoints run/other", "was renamed to"), ("rm -rf run/checkpoints", "was removed"),
            ("mv run/checkpoints old; mkdir run/checkpoints", "and something else has its name"),
        ] {
            let space = try Workspace()
            let outcome = try await train(space, change, "--checkpoint.every 100000")
            #expect(outcome.exitCode == 1, "\(change): \(outcome.output)")
            #expect(outcome.output.contains(word), "\(change): \(outcome.output)")
            let left = (try? FileManager.default.contentsOfDirectory(atPath: space.path + "/run/checkpoints")) ?? []
            #expect(left.isEmpty, "\(change): \(left)")
        }
    }

    @Test func aRemovedFolderIsNotBegunAgainAtTheEnd() async throws {
        let space = try Workspace()
        let outcome = try await train(space, "rm -rf run", "--checkpoint.every 0", stop: false)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(
            outcome.output.contains(
                "the end of the run is not saved: run: cannot save into this folder: it was removed"))
        #expect(!exists(space, "run"))
    }

    @Test func aFolderThatComesBackInTimeLosesNothing() async throws {
        let space = try Workspace()
        let outcome = try await train(space, "mv run moved; mv moved run")
        #expect(
            outcome.exitCode == 75 && outcome.output.contains("saved in run/checkpoints/step-"), "\(outcome.output)")
    }
}

/// What cannot be a run's folder is refused by name before anything is done.
@Suite(.serialized) struct RunFolderRefusalTests {
    @Test func eachIsToldWhy() async throws {
        let space = try Workspace()
        try FileManager.default.createSymbolicLink(
            atPath: space.path + "/link", withDestinationPath: space.path + "/nowhere")
        try FileManager.default.createSymbolicLink(atPath: space.path + "/circle", withDestinationPath: "circle")
        try space.write("file", "mine")
        try FileManager.default.createDirectory(atPath: space.path + "/texts", withIntermediateDirectories: false)
        try space.write("texts/a.txt", String(repeating: "a text. ", count: 500))
        let corpus = space.path + "/corpus.txt"
        for (directory, word, more) in [
            (space.path + "/link", "it is a link to \(space.path)/nowhere, which is not there", []),
            (space.path + "/link/run", "it is a link to \(space.path)/nowhere, which is not there", []),
            (space.path + "/circle", "symbolic links", []),
            (space.path + "/file", "a file has its name", []),
            (space.path + "/file/run", "Not a directory", []),
            (space.path + "/" + String(repeating: "n", count: 300), "File name too long", []),
            ("", "run.directory", []),
            (corpus, "is the corpus itself", []),
            (space.path + "/texts", "data.path names", ["--data.path", space.path + "/texts"]),
            (space.path, "which this run writes", ["--data.path", space.path + "/config.toml"]),
        ] as [(String, String, [String])] {
            if word.hasPrefix("which") { try space.write("config.toml", String(repeating: "a text. ", count: 500)) }
            let outcome = try await space.train(["--run.directory", directory] + more)
            #expect(outcome.exitCode == 1, "\(directory): \(outcome.output)")
            #expect(outcome.output.contains(word), "\(directory): \(outcome.output)")
        }
        #expect(try String(contentsOfFile: space.path + "/file", encoding: .utf8) == "mine")
        #expect(FileManager.default.fileExists(atPath: corpus))
    }

    /// No character of a path is a home folder to one part of a run and a name to another.
    @Test func theWholeRunGoesIntoOneFolder() async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let outcome = try await Mpirun.run(
            "/bin/bash", ["-c", "cd '\(space.path)' && exec '\(gecko)' train run.toml --run.directory './~x/r'"],
            ranks: 0)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        for file in ["config.toml", "timeline.svg", "trace.json", "model.safetensors", "train.log", "run.id"] {
            #expect(FileManager.default.fileExists(atPath: space.path + "/~x/r/" + file), "\(file)")
        }
    }
}
