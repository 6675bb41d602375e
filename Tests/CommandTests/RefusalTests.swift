import Foundation
import TestSupport
import Testing

/// What can't work is refused before any work, once, with advice and a failing exit.
@Suite(.serialized) struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let overrides: [String]
        let ranks: Int
        let words: [String]
        var testDescription: String { overrides.joined(separator: " ") + " on \(ranks)" }
    }

    @Test(arguments: [
        Case(overrides: ["--model.layrs", "3"], ranks: 0, words: ["model.layrs", "model.layers"]),
        Case(overrides: ["--model.layers", "many"], ranks: 0, words: ["model.layers", "many"]),
        Case(overrides: ["--model.dim", "33"], ranks: 0, words: ["model.dim", "norm_groups"]),
        Case(overrides: ["--pipeline.slice", "24"], ranks: 0, words: ["pipeline.slice", "chunk"]),
        Case(overrides: ["--pipeline.stages", "5"], ranks: 0, words: ["5 stages", "layers"]),
        Case(overrides: ["--pipeline.schedule", "2f2b"], ranks: 0, words: ["2f2b", "1f1b"]),
        Case(overrides: ["--pipeline.stages", "2"], ranks: 3, words: ["3 ranks", "-np 2"]),
        Case(overrides: ["--model.layers", "2"], ranks: 3, words: ["3 stages", "layers"]),
        Case(overrides: ["--data.path", "/nowhere/at-all.txt"], ranks: 2, words: ["/nowhere/at-all.txt"]),
        Case(overrides: ["--data.sequence", "65536"], ranks: 2, words: ["too short"]),
        Case(overrides: ["--run.overwrite", "maybe"], ranks: 2, words: ["run.overwrite", "maybe"]),
    ])
    func refuses(_ c: Case) async throws {
        let space = try Workspace()
        let outcome = try await space.train(c.overrides, ranks: c.ranks)
        #expect(outcome.exitCode != 0)
        #expect(!outcome.timedOut)
        for word in c.words { #expect(outcome.output.contains(word), "\(outcome.output)") }
        let told = outcome.output.components(separatedBy: "Error:").count - 1
        #expect(told == 1, "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: space.path + "/run/metrics.jsonl"))
    }

    @Test(arguments: ["", "x"]) func refusesATinyCorpus(_ corpus: String) async throws {
        let space = try Workspace(corpus: corpus)
        let outcome = try await space.train()
        #expect(outcome.exitCode != 0)
        #expect(outcome.output.contains("corpus"), "\(outcome.output)")
    }

    @Test func anExistingRunIsKept() async throws {
        let space = try Workspace()
        #expect(try await space.train().exitCode == 0)
        let outcome = try await space.train(["--run.overwrite", "false"])
        #expect(outcome.exitCode != 0)
        #expect(outcome.output.contains("already holds"), "\(outcome.output)")
    }

    @Test func bytesThatAreNoTextTrainToo() async throws {
        let space = try Workspace()
        let bytes = Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) })
        try bytes.write(to: URL(fileURLWithPath: space.path + "/corpus.txt"))
        let outcome = try await space.train()
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.digest != nil)
    }

    @Test(arguments: [0, 2]) func anExplodingRunStopsWithAdvice(ranks: Int) async throws {
        let space = try Workspace()
        let outcome = try await space.train(
            [
                "--optimizer.learning_rate", "1e30", "--optimizer.weight_decay", "0", "--optimizer.warmup", "0",
                "--training.steps", "30",
                "--pipeline.stages", "2",
            ], ranks: ranks)
        #expect(outcome.exitCode != 0)
        #expect(outcome.output.components(separatedBy: "Error:").count == 2, "\(outcome.output)")
        #expect(outcome.output.contains("5 steps in a row"), "\(outcome.output)")
        #expect(outcome.output.contains("optimizer.learning_rate"))
    }
}
