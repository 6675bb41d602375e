import Foundation
import TestSupport
import Testing

/// The scripts around a run: the loop that starts it again, and the list of faults that it survives.
@Suite(.serialized) struct FaultScriptTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private func faults(_ arguments: String..., limit: Double = 60) async throws -> Mpirun.Outcome {
        try await Mpirun.run(
            "/bin/bash", ["\(Self.root)/jobs/faults.sh"] + arguments, ranks: 0,
            environment: ["GECKO": Mpirun.programs.appendingPathComponent("gecko").path], limit: limit)
    }

    @Test func aShortListOfFaultsLosesNothing() async throws {
        let outcome = try await faults("--short", limit: 300)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        let last = outcome.output.split(separator: "\n").last ?? ""
        #expect(last.wholeMatch(of: /2\d faults of 2\d kinds, 0 lost/) != nil, "\(outcome.output)")
    }

    /// The lines of the faults, without what the clock says.
    private func tried(seed: String) async throws -> [String] {
        let outcome = try await faults(
            "--count", "3", "--kinds", "kill-in-a-step,kill-at-the-start,stale-lock", "--seed", seed)
        #expect(outcome.exitCode == 0 && outcome.output.contains("3 faults of 3 kinds, 0 lost"), "\(outcome.output)")
        return outcome.output.split(separator: "\n").compactMap { $0.firstMatch(of: /^ +\d+\/3 .*: exit \d+/)?.output }
            .map(String.init)
    }

    @Test func aSeedChoosesEveryFault() async throws {
        let first = try await tried(seed: "7")
        #expect(first.count == 3)
        #expect(try await tried(seed: "7") == first)
        #expect(try await tried(seed: "8") != first)
    }

    @Test func kindsAreListedAndUnknownOnesRefused() async throws {
        let list = try await faults("--list")
        #expect(list.exitCode == 0 && list.output.split(separator: "\n").count >= 50, "\(list.output)")
        let unknown = try await faults("--kinds", "SIGTERM,sigterm")
        #expect(unknown.exitCode == 64 && unknown.output.contains("no kind 'sigterm'"), "\(unknown.output)")
        let count = try await faults("--count", "many")
        #expect(count.exitCode == 64 && count.output.contains("found 'many'"), "\(count.output)")
    }

    @Test func theLoopStartsAgainUntilTheRunIsThrough() async throws {
        let space = try Workspace()
        let whole = try await space.train(["--training.steps", "12", "--run.directory", space.path + "/whole"])
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        try space.write(
            "attempt.sh",
            """
            attempt=$(($(cat \(space.path)/attempts 2>/dev/null || echo 0) + 1))
            echo $attempt >\(space.path)/attempts
            faults=(none step:3 gradients:7:0:usr1)
            [[ $attempt -ge 3 ]] || export GECKO_FAULT=${faults[$attempt]}
            exec \(gecko) train \(space.path)/run.toml --training.steps 12 --run.overwrite false --checkpoint.every 2
            """)
        let outcome = try await Mpirun.run(
            "/bin/bash", ["\(Self.root)/jobs/restart.sh", "--pause", "0", "bash", space.path + "/attempt.sh"], ranks: 0)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("the command ended with 137"), "\(outcome.output)")
        #expect(outcome.output.contains("the command ended with 75"), "\(outcome.output)")
        #expect(outcome.digest == whole.digest, "\(outcome.output)")
        // What another start won't mend ends the loop.
        let refused = try await Mpirun.run(
            "/bin/bash", ["\(Self.root)/jobs/restart.sh", "--pause", "0", gecko, "train", "/nowhere.toml"], ranks: 0)
        #expect(refused.exitCode == 1, "\(refused.output)")
        #expect(!refused.output.contains("number 1"))
    }
}
