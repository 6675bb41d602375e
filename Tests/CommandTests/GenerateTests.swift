import Foundation
import TestSupport
import Testing

/// `gecko generate` takes whatever holds a model: a finished run, one under way, a checkpoint, a file.
@Suite(.serialized) struct GenerateTests {
    @Test func everyPlaceOfAModelIsTaken() async throws {
        let space = try Workspace()
        let run = ["--training.steps", "6", "--checkpoint.every", "2", "--run.overwrite", "false"]
        let cut = try await space.train(run, environment: ["GECKO_FAULT": "manifest-durable:4"])
        #expect(cut.exitCode == 137)
        func generate(_ words: String...) async throws -> Mpirun.Outcome {
            try await Mpirun.run(
                "gecko", ["generate", space.path + "/" + words[0], "--tokens", "20"] + words.dropFirst(), ranks: 0)
        }
        func text(_ outcome: Mpirun.Outcome) -> String {
            outcome.output.split(separator: "\n").filter { !$0.hasPrefix("note:") }.joined()
        }
        let unfinished = try await generate("run")
        #expect(unfinished.exitCode == 0, "\(unfinished.output)")
        #expect(unfinished.output.contains("note: this is the checkpoint of step 4"), "\(unfinished.output)")
        let older = try await generate("run", "--step", "2")
        #expect(older.exitCode == 0 && older.output.contains("step 2"), "\(older.output)")
        #expect(text(older) != text(unfinished))
        for place in ["run/checkpoints", "run/checkpoints/step-00000004", "run/checkpoints/step-00000004/"] {
            let same = try await generate(place)
            #expect(same.exitCode == 0 && text(same) == text(unfinished), "\(place): \(same.output)")
        }
        #expect(try await space.train(run).exitCode == 0)
        let finished = try await generate("run")
        #expect(!finished.output.contains("note:") && finished.exitCode == 0, "\(finished.output)")
        let last = try await generate("run", "--step", "6")
        #expect(text(last) == text(finished), "\(last.output)")
        #expect(text(try await generate("run/model.safetensors")) == text(finished))
        for (place, more, word) in [
            ("run", ["--step", "3"], "has no complete checkpoint of step 3"), ("nowhere", [], "there is no such file"),
            ("run/model.safetensors", ["--step", "2"], "is a file"),
            ("run/checkpoints/step-00000004/rank-0000.safetensors", [], "give the checkpoint"),
            ("empty", [], "holds neither"),
        ] as [(String, [String], String)] {
            if place == "empty" {
                try FileManager.default.createDirectory(
                    atPath: space.path + "/empty", withIntermediateDirectories: false)
            }
            let refused = try await Mpirun.run("gecko", ["generate", space.path + "/" + place] + more, ranks: 0)
            #expect(refused.exitCode == 1 && refused.output.contains(word), "\(place): \(refused.output)")
        }
    }
}
