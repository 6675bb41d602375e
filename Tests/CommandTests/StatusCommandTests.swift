import Foundation
import TestSupport
import Testing

/// `gecko status` of runs that ended in every way, at once.
@Suite(.serialized) struct StatusCommandTests {
    private static func status(_ run: String) async throws -> Mpirun.Outcome {
        let outcome = try await Mpirun.run("gecko", ["status", run], ranks: 0)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        return outcome
    }

    private static let steps = ["--training.steps", "12", "--run.overwrite", "false", "--checkpoint.every", "2"]

    @Test(arguments: [0, 2]) func everyEndHasItsWord(ranks: Int) async throws {
        let space = try Workspace()
        let run = space.path + "/run"
        let cases: [(fault: String, code: Int32?, words: [String])] = [
            // Killed: nothing is written any more.
            ("step:5:0", nil, ["stopped (no process holds it); started again, it goes on after step", "left no word"]),
            (
                "gradients:7:0:usr1", 75,
                ["stopped by a signal, saved; started again, it goes on after step 8", "SIGUSR1"]
            ),
            ("gradients:9:0:nan,gradients:10:0:nan", 1, ["failed with exit code 1", "2 steps in a row"]),
            ("", 0, ["finished"]),
        ]
        for c in cases {
            let more = ["--training.max_nonfinite", "2"]
            let outcome = try await space.train(
                Self.steps + more, ranks: ranks, environment: c.fault.isEmpty ? [:] : ["GECKO_FAULT": c.fault])
            if let code = c.code { #expect(outcome.exitCode == code, "\(outcome.output)") }
            let status = try await Self.status(run)
            for word in c.words { #expect(status.output.contains(word), "\(c.fault): \(status.output)") }
            #expect(!status.output.contains("time left"), "\(status.output)")
            #expect(!status.output.contains("training"), "\(status.output)")
        }
        // A start that is refused changes nothing about the run.
        #expect(try await space.train(Self.steps, ranks: ranks).exitCode == 1)
        #expect(try await Self.status(run).output.contains("state       finished"))
    }

    @Test func aRunThatIsReplacedIsNamed() async throws {
        let space = try Workspace()
        let first = try await space.train()
        #expect(!first.output.contains("replacing"), "\(first.output)")
        let second = try await space.train()
        #expect(second.output.contains("replacing \(space.path)/run (finished, step 3)\n"), "\(second.output)")
        _ = try await space.train(environment: ["GECKO_FAULT": "step:2:0"])
        let third = try await space.train()
        #expect(third.output.contains("replacing \(space.path)/run (unfinished, step 2)\n"), "\(third.output)")
    }

    @Test func theQuickstartsFileReplacesNothing() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try String(contentsOf: root.appendingPathComponent("jobs/quickstart.toml"), encoding: .utf8)
        #expect(!file.contains("overwrite"))
        let script = try String(contentsOf: root.appendingPathComponent("jobs/quickstart.sh"), encoding: .utf8)
        #expect(script.contains("jobs/quickstart.toml --run.overwrite true \"$@\""))
    }
}
