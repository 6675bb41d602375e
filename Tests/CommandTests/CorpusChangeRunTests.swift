import Checkpoints
import Corpora
import Foundation
import TestSupport
import Testing
import Training

/// A text that changes while a run reads it, or between a run and its resume, is found; the run ends in good order and
/// goes on with the text as it was.
@Suite(.serialized) struct CorpusChangeRunTests {
    /// Numbers that don't hang on how many steps there are to be.
    private static let even = [
        "--optimizer.schedule", "constant", "--optimizer.warmup", "0", "--run.overwrite", "false",
    ]

    /// Runs until some steps are done, does something to the text, and waits for the end.
    private func run(
        _ space: Workspace, _ overrides: [String], ranks: Int, meanwhile change: @Sendable @escaping () throws -> Void
    ) async throws -> Mpirun.Outcome {
        try await run(space, meanwhile: change) { try await space.train(overrides, ranks: ranks) }
    }

    private func run(
        _ space: Workspace, meanwhile change: @Sendable @escaping () throws -> Void,
        _ train: () async throws -> Mpirun.Outcome
    ) async throws -> Mpirun.Outcome {
        let metrics = space.path + "/run/metrics.jsonl"
        let changing = Task {
            while !Task.isCancelled {
                let lines = (try? String(contentsOfFile: metrics, encoding: .utf8).count { $0 == "\n" }) ?? 0
                if lines >= 3 { return try change() }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let outcome = try await train()
        changing.cancel()
        _ = await changing.result
        return outcome
    }

    @Test(arguments: [(0, true), (2, true), (2, false)])
    func aTextThatShrinksEndsTheRunInGoodOrder(ranks: Int, saves: Bool) async throws {
        let space = try Workspace()
        let path = space.path + "/corpus.txt"
        let text = try Data(contentsOf: URL(fileURLWithPath: path))
        let options = Self.even + ["--pipeline.stages", "2", "--checkpoint.every", saves ? "50" : "0"]
        let outcome = try await run(space, options + ["--training.steps", "100000"], ranks: ranks) {
            #expect(truncate(path, 7) == 0)
        }
        #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome.output)")
        #expect(
            outcome.output.contains(
                "\(path) changed while it was read: it had \(text.count) bytes, now 7. The run is saved in"),
            "\(outcome.output)")
        #expect(outcome.output.components(separatedBy: "Error:").count == 2, "\(outcome.output)")
        let store = CheckpointStore(space.path + "/run/checkpoints")
        let saved = try #require(try store.entries().compactMap(\.manifest).last)
        #expect(saved.step >= 3)
        // With the text as it is, it doesn't go on.
        let other = try await space.train(options + ["--training.steps", "100000"])
        #expect(other.exitCode == 1 && other.output.contains("corpus.txt"), "\(other.output)")
        // As it was, it does.
        try text.write(to: URL(fileURLWithPath: path))
        let steps = ["--training.steps", "\(saved.step + 2)"]
        let again = try await space.train(options + steps, ranks: ranks)
        let whole = try await space.train(options + steps + ["--run.directory", space.path + "/whole"])
        #expect(again.digest != nil && again.digest == whole.digest, "\(again.output)")
        #expect(again.output.contains("resuming after step \(saved.step)"), "\(again.output)")
    }

    /// Each rank has a copy of its own, and that of rank 1 alone is cut off: all end together.
    @Test func aTextThatShrinksOnOneNodeEndsAllRanks() async throws {
        let space = try Workspace()
        let text = "for i in 0 1; do mkdir r$i; cp corpus.txt r$i/c.txt; done"
        _ = try runProgram("/bin/sh", ["-c", "cd '\(space.path)'; \(text)"])
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let command =
            "cd '\(space.path)'/r${OMPI_COMM_WORLD_RANK:-$PMI_RANK} && exec '\(gecko)' train ../run.toml --data.path "
            + "c.txt --training.steps 100000"
        let other = space.path + "/r1/c.txt"
        let outcome = try await run(space) {
            #expect(truncate(other, 100) == 0)
        } _: {
            try await Mpirun.run("/bin/bash", ["-c", command], ranks: 2)
        }
        #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome.output)")
        #expect(outcome.output.contains("c.txt changed while it was read"), "\(outcome.output)")
        #expect(outcome.output.components(separatedBy: "Error:").count == 2, "\(outcome.output)")
        #expect(outcome.output.contains("The run is saved in \(space.path)/run/checkpoints/step-"), "\(outcome.output)")
    }

    @Test func aTextThatIsReplacedOrCannotBeReadAnyMoreEndsTheRun() async throws {
        for (name, words) in [
            ("mv other corpus.txt", "another file has its name now"), ("rm corpus.txt", "it was removed"),
        ] {
            let space = try Workspace()
            try space.write("other", String(repeating: "geese ", count: 6000))
            let command = "cd '\(space.path)' && \(name)"
            let outcome = try await run(space, Self.even + ["--training.steps", "100000"], ranks: 0) {
                _ = try runProgram("/bin/sh", ["-c", command])
            }
            #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome.output)")
            #expect(
                outcome.output.contains("corpus.txt changed while it was read: \(words). The run is saved"),
                "\(outcome.output)")
        }
    }

    /// One byte in the middle, where no sample of a text falls.
    @Test func anotherTextIsRefusedAtAResume() async throws {
        let space = try Workspace()
        let (a, b) = (space.path + "/t/a.txt", space.path + "/t/b.txt")
        let make = "cd '\(space.path)'; mkdir t; seq 400000 >t/a.txt; seq 1000 >t/b.txt; cp -r t kept"
        _ = try runProgram("/bin/sh", ["-c", make])
        let options = Self.even + ["--data.path", space.path + "/t", "--checkpoint.every", "2"]
        #expect(try await space.train(options).exitCode == 0)
        let changes = [
            (
                "printf XXXXXXXX | dd of=t/a.txt bs=1 seek=1234567 conv=notrunc",
                "\(a) has as many bytes as before, but not the same"
            ),
            ("echo 1 >>t/b.txt", "\(b) had 3893 bytes, now 3895"),
            ("echo 1 >t/c.txt", "\(space.path)/t/c.txt is new"),
            ("rm t/b.txt", "\(b) is gone"),
            ("mv t/a.txt t/z.txt", "\(a) is called \(space.path)/t/z.txt now"),
        ]
        for (command, words) in changes {
            _ = try runProgram("/bin/sh", ["-c", "cd '\(space.path)'; \(command)"])
            let outcome = try await space.train(options + ["--training.steps", "4"], ranks: 2)
            #expect(outcome.exitCode == 1 && outcome.output.contains(words), "\(command): \(outcome.output)")
            #expect(outcome.output.contains("is not the text that the run in this folder was trained on"))
            _ = try runProgram("/bin/sh", ["-c", "cd '\(space.path)'; rm -r t; cp -r kept t"])
        }
        // New times and a new place make no other text.
        _ = try runProgram("/bin/sh", ["-c", "cd '\(space.path)'; mv t elsewhere; touch elsewhere/*"])
        let moved = try await space.train(
            options + ["--training.steps", "4", "--data.path", space.path + "/elsewhere"])
        #expect(moved.exitCode == 0, "\(moved.output)")
    }

    /// Until now a manifest had a digest of samples.
    @Test func checkpointsOfOlderVersionsAreGoneOnFrom() async throws {
        let space = try Workspace()
        let options = Self.even + ["--checkpoint.every", "3"]
        #expect(try await space.train(options).exitCode == 0)
        let store = CheckpointStore(space.path + "/run/checkpoints")
        var manifest = try #require(try store.entries().compactMap(\.manifest).last)
        let plan = try TrainingPlan(
            try RunConfiguration.load(file: space.path + "/run.toml", overrides: []).validated(world: nil))
        manifest.corpus = try plan.outline()
        #expect(manifest.corpus.contains("sha256 of samples"))
        try manifest.json.write(toFile: store.manifestPath(manifest.step), atomically: true, encoding: .utf8)
        let outcome = try await space.train(options + ["--training.steps", "6"])
        #expect(outcome.exitCode == 0 && outcome.output.contains("resuming after step 3"), "\(outcome.output)")
        let newest = try #require(try store.entries().compactMap(\.manifest).last)
        #expect(newest.step == 6 && CorpusRecord.namesDigest(newest.corpus), "\(newest.corpus)")
        manifest.corpus = "7" + manifest.corpus
        manifest.progress.step = 6
        manifest.files = newest.files
        try manifest.json.write(toFile: store.manifestPath(6), atomically: true, encoding: .utf8)
        let other = try await space.train(options + ["--training.steps", "8"])
        #expect(other.exitCode == 1 && other.output.contains("is not the text"), "\(other.output)")
    }

    /// Long enough to be read beside the training.
    @Test(arguments: [0, 2]) func aLongTextIsComparedWhileTheRunGoesOn(ranks: Int) async throws {
        let space = try Workspace()
        let long = space.path + "/long.bin"
        #expect(FileManager.default.createFile(atPath: long, contents: nil) && truncate(long, 70 << 20) == 0)
        let options = Self.even + ["--data.path", long, "--checkpoint.every", "1", "--data.held_out", "0"]
        let first = try await space.train(options, ranks: ranks)
        #expect(first.exitCode == 0, "\(first.output)")
        let store = CheckpointStore(space.path + "/run/checkpoints")
        let newest = try #require(try store.entries().compactMap(\.manifest).last)
        #expect(newest.step == 3 && CorpusRecord.namesDigest(newest.corpus), "\(newest.corpus)")
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: long))
        try file.seek(toOffset: 33_333_333)
        try file.write(contentsOf: Data([1]))
        try file.close()
        let second = try await space.train(options + ["--training.steps", "100000"], ranks: ranks)
        #expect(second.exitCode == 1 && !second.timedOut, "\(second.output)")
        #expect(second.output.contains("\(long) has as many bytes as before, but not the same"), "\(second.output)")
        #expect(try store.entries().compactMap(\.manifest).last?.step == 3)
    }
}
