import Foundation
import TestSupport
import Testing

/// Sizes that can't be are refused by every command at once, by arithmetic.
@Suite(.serialized) struct LimitTests {
    /// Seconds in which even a loaded machine refuses; without a check these run for minutes, or out of memory.
    private static let soon = 20.0

    @Test(arguments: [
        ["--model.layers", "1000000000"], ["--model.layers", "16384", "--model.dim", "4096"],
        ["--model.dim", "1048576"],
        ["--training.batch", "16777216"], ["--data.sequence", "2147483632", "--pipeline.slice", "16"],
        ["--machine.threads", "100000"], ["--machine.threads", "60000"], ["--machine.patience", "1e300"],
        ["--training.sample_tokens", "1000000000"], ["--run.trace_steps", "1000000000"],
        ["--model.vocabulary", "16777216", "--model.dim", "65536"],
        ["--pipeline.stages", "16384", "--model.layers", "16384"], ["--model.heads", "1048576"],
    ])
    func trainRefusesAtOnce(overrides: [String]) async throws {
        let space = try Workspace()
        let outcome = try await Mpirun.run(
            "gecko", ["train", space.path + "/run.toml"] + overrides, ranks: 0, limit: Self.soon)
        #expect([1, 64].contains(outcome.exitCode) && !outcome.timedOut, "\(outcome.output)")
        #expect(outcome.output.contains("Error:"), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: space.path + "/run/metrics.jsonl"))
    }

    @Test func harmlessLargeNumbersTrain() async throws {
        let space = try Workspace()
        let big = "2147483647"
        let outcome = try await space.train([
            "--training.log_every", big, "--checkpoint.keep", big, "--checkpoint.keep_every", big, "--checkpoint.every",
            big,
            "--training.evaluate_sequences", big, "--training.evaluate_every", big, "--training.seed", big,
            "--training.max_nonfinite", big, "--optimizer.warmup", big, "--run.trace_steps", "1000",
        ])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(
            outcome.output.contains("note: the run of 3 steps ends within the warm-up of 2147483647, at 0 %"),
            "\(outcome.output)")
    }

    @Test(arguments: [
        ["bench", "--size", "S", "--steps", "1", "--threads", "100000"],
        ["bench", "--size", "S", "--sequence", "2147483136"],
        ["bench", "--size", "S", "--model.layers", "16384"], ["topology", "--stages", "1000000000"],
        ["topology", "--threads", "1000000000"],
        ["topology", "--stages", "3000", "--threads", "16"],
    ])
    func othersRefuseAtOnce(arguments: [String]) async throws {
        let outcome = try await Mpirun.run("gecko", arguments, ranks: 0, limit: Self.soon)
        #expect([1, 64].contains(outcome.exitCode) && !outcome.timedOut, "\(outcome.output)")
        #expect(outcome.output.components(separatedBy: "Error:").count == 2, "\(outcome.output)")
    }

    @Test func tooManyThreadsAreToldOnceByAllRanks() async throws {
        let space = try Workspace()
        let outcome = try await space.train(["--machine.threads", "60000"], ranks: 2)
        #expect(outcome.exitCode != 0)
        #expect(outcome.output.contains("Set machine.threads to at most"), "\(outcome.output)")
        #expect(outcome.output.components(separatedBy: "Error:").count == 2, "\(outcome.output)")
    }

    /// What `ulimit -v` and `ulimit -d` leave is known before the first step, the checkpoint's copy included.
    @Test(arguments: ["-v", "-d"]) func limitsOfTheShellCount(option: String) async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let wide =
            "--model.dim 1024 --model.value_dim 1024 --model.ffn_dim 1024 --training.steps 1 --training.sample_tokens 0"
        let script = "ulimit \(option) 800000; exec \(gecko) train \(space.path)/run.toml \(wide)"
        let outcome = try await Mpirun.run("/bin/sh", ["-c", script], ranks: 0)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains("ulimit \(option)"), "\(outcome.output)")
        #expect(outcome.output.contains("parameters, gradients and moments"), "\(outcome.output)")
        #expect(!outcome.output.contains("1/1"), "\(outcome.output)")
    }

    /// Reading a large step's table takes seconds: a signal ends the start, and the default of the launcher's exit code
    /// stays.
    @Test func aSignalWhileTheRunStartsEndsIt() async throws {
        let space = try Workspace()
        let outcome = try await Mpirun.run(
            "gecko",
            [
                "train", space.path + "/run.toml", "--training.batch", "4096", "--pipeline.schedule", "auto",
                "--pipeline.stages", "4", "--run.directory", space.path + "/slow",
            ], ranks: 0, limit: 50, signals: [(after: 1, number: SIGTERM)])
        #expect(outcome.exitCode == 75 && !outcome.timedOut, "\(outcome.output)")
        #expect(outcome.output.contains("stopped by SIGTERM"), "\(outcome.output)")
    }
}
