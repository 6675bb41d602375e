import Foundation
import TestSupport
import Testing

/// What `gecko train` says of memory before a run is what the run takes; what cannot be had is told at once.
@Suite(.serialized) struct MemoryTests {
    /// Large enough that slices outweigh the program: some 300 MiB of activations.
    private static let long = [
        "--model.dim", "128", "--model.value_dim", "256", "--model.ffn_dim", "256", "--data.sequence", "8192",
        "--pipeline.slice", "512", "--model.chunk", "64", "--training.batch", "1", "--training.steps", "1",
        "--data.held_out", "0", "--training.sample_tokens", "0", "--checkpoint.every", "0", "--pipeline.stages", "1",
    ]

    /// Bytes in front of or behind a phrase of the output: "361.2 MiB expected", "at most 358 MiB".
    private func bytes(_ pattern: String, _ outcome: Mpirun.Outcome) throws -> Double {
        let expression = try NSRegularExpression(pattern: pattern)
        let text = outcome.output
        let match = try #require(
            expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)), "\(text)")
        func part(_ i: Int) throws -> String { String(text[try #require(Range(match.range(at: i), in: text))]) }
        let unit = try #require(["B", "KiB", "MiB", "GiB"].firstIndex(of: try part(2)))
        return try #require(Double(try part(1))) * pow(1024, Double(unit))
    }

    @Test(arguments: [[], ["--pipeline.recompute", "true"], ["--pipeline.stash", "disk"]])
    func theFormulaHolds(mode: [String]) async throws {
        let space = try Workspace()
        let outcome = try await space.train(Self.long + mode)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        let expected = try bytes("memory: ([0-9.]+) ([KMG]?i?B) expected", outcome)
        let measured = try bytes("memory: at most ([0-9.]+) ([KMG]?i?B) in a process", outcome)
        #expect(abs(measured / expected - 1) < 0.1, "\(outcome.output)")
        #expect(outcome.output.contains("stash:  on disk") == mode.contains("disk"))
    }

    /// Rows of whole sequences, their gradients, and those of the tokens before, old and new: some 140 MiB.
    @Test func theFormulaHoldsForStreamsThatKeepEveryToken() async throws {
        let space = try Workspace("llama")
        let outcome = try await space.train([
            "--model.dim", "256", "--model.kv_heads", "4", "--model.ffn_dim", "64", "--data.sequence", "4096",
            "--pipeline.slice", "512", "--pipeline.stages", "1", "--pipeline.recompute", "true", "--training.batch",
            "2",
            "--training.steps", "2", "--data.streams", "true", "--data.stream_context", "4096", "--data.held_out", "0",
            "--training.sample_tokens", "0", "--checkpoint.every", "0",
        ])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        let expected = try bytes("memory: ([0-9.]+) ([KMG]?i?B) expected", outcome)
        let measured = try bytes("memory: at most ([0-9.]+) ([KMG]?i?B) in a process", outcome)
        #expect(abs(measured / expected - 1) < 0.1, "\(outcome.output)")
    }

    /// Two replicas of some 60 MB of parameters; a rank's own process says what it has taken.
    @Test(arguments: [false, true]) func theFormulaHoldsWithReplicas(shards: Bool) async throws {
        let space = try Workspace()
        let outcome = try await space.train(
            [
                "--model.dim", "1024", "--model.z_dim", "256", "--model.value_dim", "1024", "--model.ffn_dim", "1024",
                "--model.norm_groups", "32", "--training.batch", "2", "--training.steps", "2", "--data.held_out", "0",
                "--training.sample_tokens", "0", "--pipeline.replicas", "2", "--pipeline.shard_optimizer", "\(shards)",
                "--machine.threads", "1", "--checkpoint.every", "1",
            ], ranks: 2)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        let expected = try bytes("memory: ([0-9.]+) ([KMG]?i?B) expected", outcome)
        let measured = try bytes("memory: at most ([0-9.]+) ([KMG]?i?B) in a process", outcome)
        #expect(abs(measured / expected - 1) < 0.1, "\(outcome.output)")
    }

    @Test(arguments: [0, 2]) func aFolderThatIsNotThere(ranks: Int) async throws {
        let space = try Workspace()
        let outcome = try await space.train(
            [
                "--pipeline.stash", "disk", "--pipeline.stash_directory", space.path + "/none",
                "--pipeline.schedule",
                "all-forward-all-backward",
            ], ranks: ranks)
        #expect(outcome.exitCode != 0)
        #expect(
            outcome.output.contains(
                """
                the stash cannot be put into \(space.path)/none: No such file
                """), "\(outcome.output)")
    }

    @Test func moreThanTheMachineHas() async throws {
        let space = try Workspace()
        let outcome = try await space.train([
            "--training.batch", "20000", "--pipeline.schedule", "all-forward-all-backward", "--model.dim", "1024",
            "--model.value_dim", "1024", "--model.ffn_dim", "1024", "--data.sequence", "512", "--pipeline.slice", "512",
        ])
        #expect(outcome.exitCode != 0)
        #expect(outcome.output.contains("this run needs"), "\(outcome.output)")
        #expect(outcome.output.contains("pipeline.stash = disk"), "\(outcome.output)")
    }
}
