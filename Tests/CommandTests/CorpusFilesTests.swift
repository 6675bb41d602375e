import Checkpoints
import Corpora
import Foundation
import TestSupport
import Testing
import Training

/// What `gecko train` takes for its text, and what it says of it.
@Suite(.serialized) struct CorpusFilesTests {
    /// `gecko` by a shell, in the workspace.
    private func shell(_ space: Workspace, _ script: String, ranks: Int = 0) async throws -> Mpirun.Outcome {
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        return try await Mpirun.run(
            "/bin/bash", ["-c", "set -e; cd '\(space.path)'; gecko='\(gecko)'; \(script)"], ranks: ranks)
    }

    @Test(arguments: ["corp", "."])
    func aRunInsideItsCorpusIsNotItsText(path: String) async throws {
        let space = try Workspace()
        let script = """
            mkdir -p corp; cp corpus.txt corp/a.txt; mkdir other; mv run.toml other/
            train() { $gecko train other/run.toml --data.path \(path) --run.directory corp/run --run.overwrite false \
                --checkpoint.directory corp/saved --checkpoint.every 2 --training.steps $1; }
            train 4 >first.log; cat first.log; rm first.log; train 6
            $gecko train other/run.toml --data.path \(path) --run.directory elsewhere/run --training.steps 1
            """
        let outcome = try await shell(space, script)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("resuming after step 4"), "\(outcome.output)")
        #expect(outcome.output.contains("folders of gecko runs ("), "\(outcome.output)")
        let isAll = path == "."
        #expect(
            outcome.output.contains("1 file that this run's output goes to (./first.log)") == isAll, "\(outcome.output)"
        )
        // The first start, the second, and that of another run.
        let tokens = outcome.output.matches(of: /(\d+) tokens from/).map(\.1)
        #expect(tokens.count == 3 && Set(tokens).count == 1, "\(outcome.output)")
    }

    @Test func aRunIntoItsCorpusIsRefused() async throws {
        let space = try Workspace()
        for key in ["run.directory", "checkpoint.directory"] {
            let outcome = try await shell(
                space, "mkdir -p c; cp corpus.txt c; $gecko train run.toml --data.path c --\(key) c")
            #expect(outcome.exitCode == 1)
            #expect(outcome.output.contains("which is \(key), where the run writes"), "\(outcome.output)")
        }
    }

    @Test func namesThatAreNoTextAreReadAsArgumentsTheyAreRefused() async throws {
        let space = try Workspace()
        let make = "mkdir b; cp corpus.txt b/a.txt; cp corpus.txt $'b/bad\\xff.txt'; "
        let both = try await shell(space, make + "$gecko train run.toml --data.path b")
        #expect(both.exitCode == 0, "\(both.output)")
        #expect(both.output.contains("text:  2 files; "), "\(both.output)")
        let list = try String(
            decoding: Data(contentsOf: URL(fileURLWithPath: space.path + "/run/corpus.sha256")), as: UTF8.self)
        #expect(list.contains("b/bad\u{FFFD}.txt"))
        let checked = try await shell(space, "sha256sum --check --strict run/corpus.sha256")
        #expect(checked.exitCode == 0, "\(checked.output)")
        for command in ["train --data.path $'b/bad\\xff.txt'", "generate run --tokens 3 --prompt $'\\xff\\xfe'"] {
            let refused = try await shell(space, "$gecko \(command)")
            #expect(refused.exitCode == 64, "\(refused.output)")
            #expect(refused.output.contains("is not UTF-8"), "\(refused.output)")
        }
    }

    @Test func aListOfPathsReachesAllRanks() async throws {
        let space = try Workspace()
        let toml = try String(contentsOfFile: space.path + "/run.toml", encoding: .utf8)
        try space.write("a, b.txt", String(repeating: "geese ", count: 500))
        try space.write(
            "list.toml",
            toml.replacing(
                "\"\(space.path)/corpus.txt\"", with: "[\"\(space.path)/corpus.txt\", \"\(space.path)/a, b.txt\"]"))
        let outcome = try await Mpirun.run("gecko", ["train", space.path + "/list.toml"], ranks: 2)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("text:  2 files; "), "\(outcome.output)")
        let written = try String(contentsOfFile: space.path + "/run/config.toml", encoding: .utf8)
        #expect(written.contains("path = [\"\(space.path)/corpus.txt\", \"\(space.path)/a, b.txt\"]"))
        let commas = try await space.train(["--data.path", "\(space.path)/corpus.txt,\(space.path)/corpus.txt"])
        #expect(commas.output.contains("1 file comes again"), "\(commas.output)")
    }

    @Test func theStartTellsFilesDocumentsAndBytes() async throws {
        let space = try Workspace()
        let outcome = try await shell(
            space,
            """
            mkdir -p t/.git; cp corpus.txt t/a; printf 'one\\n\\ntwo\\n\\n' >t/b; printf 'PNG\\0' >t/c.png
            $gecko train run.toml --data.path t --data.packed true --data.separator '\\n\\n'
            """)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("text:  3 files, 4 documents, longest "), "\(outcome.output)")
        #expect(outcome.output.contains("text:  left out: 1 hidden file or folder (t/.git)"), "\(outcome.output)")
        #expect(outcome.output.contains("warning: t/c.png has zero bytes"), "\(outcome.output)")
        let never = try await space.train(["--data.packed", "true", "--data.separator", "<|nosuch|>"], ranks: 2)
        #expect(never.exitCode != 0)
        #expect(never.output.contains("data.separator \"<|nosuch|>\" does not occur in"), "\(never.output)")
    }

    @Test func nodesWithOtherTextsAreFound() async throws {
        let space = try Workspace()
        let make = "for i in 0 1; do mkdir r$i; printf 'x%.0s' $(seq $((2000 + i))) >r$i/c.txt; done"
        #expect(try await shell(space, make).exitCode == 0)
        let outcome = try await shell(
            space, "cd r${OMPI_COMM_WORLD_RANK:-$PMI_RANK}; exec $gecko train ../run.toml --data.path c.txt", ranks: 2)
        #expect(outcome.exitCode != 0 && !outcome.timedOut)
        #expect(outcome.output.contains("finds another text than rank 0: 2001 tokens"), "\(outcome.output)")
        #expect(outcome.output.components(separatedBy: "Error:").count == 2, "\(outcome.output)")
    }

    /// Sequences of one token: every other one is a document's last byte, whose target is the next document.
    @Test(arguments: [0, 2]) func aStepWithoutTargetsMakesNoUpdate(ranks: Int) async throws {
        let space = try Workspace(corpus: String(repeating: "a|", count: 2000))
        let options = [
            "--data.packed", "true", "--data.separator", "|", "--model.chunk", "1", "--pipeline.slice", "1",
            "--data.sequence", "1",
            "--training.batch", "1", "--data.held_out", "0", "--training.sample_tokens", "0", "--checkpoint.every", "1",
            "--checkpoint.keep", "12",
            "--run.overwrite", "false", "--training.max_nonfinite", "1", "--pipeline.stages", "\(max(1, ranks))",
            "--optimizer.schedule", "constant", "--optimizer.warmup", "0",
        ]
        let whole = try await space.train(
            options + ["--training.steps", "12", "--run.directory", space.path + "/w"], ranks: ranks)
        #expect(whole.exitCode == 0, "\(whole.output)")
        let lines = try String(contentsOfFile: space.path + "/w/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        let void = lines.filter { $0.contains("\"targets\":0") }
        #expect(!void.isEmpty && void.count < 12)
        #expect(void.allSatisfy { $0.contains("\"loss\":null") })
        #expect(whole.output.contains("\(void.count) steps had no targets"), "\(whole.output)")
        #expect(whole.output.contains("no targets  no update"), "\(whole.output)")
        #expect(!whole.output.contains("not finite"))
        // Neither did they move the parameters.
        let steps = lines.enumerated().filter { $0.element.contains("\"targets\":0") && $0.offset > 0 }.map(\.offset)
        let store = CheckpointStore(space.path + "/w/checkpoints")
        let last = try #require(try store.entries().compactMap(\.manifest).last)
        #expect(last.progress.optimizerStep == 12 - void.count && last.progress.skipped == void.count)
        let cut = try #require(steps.last)
        var digests: [Substring] = []
        for step in [cut, cut + 1] {
            let export = try await space.gecko(
                "checkpoint", "export", space.path + "/w", space.path + "/\(step).safetensors", "--step", "\(step)")
            digests.append(try #require(export.output.firstMatch(of: /[0-9a-f]{64}/), "\(export.output)").0)
        }
        #expect(digests[0] == digests[1])
        // Cut there, the run goes on with the same numbers.
        for n in [cut, 12] {
            let leg = try await space.train(options + ["--training.steps", "\(n)"], ranks: ranks)
            if n == 12 { #expect(leg.digest == whole.digest, "\(leg.output)") }
        }
    }

    @Test func heldOutTextWithoutTargetsHasNoLoss() async throws {
        let space = try Workspace(corpus: String(repeating: "some longer text ", count: 100) + "|b")
        let outcome = try await space.train([
            "--data.packed", "true", "--data.separator", "|", "--model.chunk", "1", "--pipeline.slice", "1",
            "--data.sequence", "1",
            "--data.held_out", "0.00176", "--training.evaluate_sequences", "1", "--training.sample_tokens", "0",
        ])
        // Three tokens are held out, and the one window's only target is the bos token.
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("the held-out text has no targets"), "\(outcome.output)")
        #expect(!outcome.output.contains(" nats"), "\(outcome.output)")
    }
}
