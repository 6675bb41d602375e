import Foundation
import TestSupport
import Testing

/// Paths are read in one way, whatever key or option holds them.
@Suite(.serialized) struct PathTests {
    private static let short = ["--training.steps", "1", "--training.sample_tokens", "0", "--data.held_out", "0"]

    @Test(arguments: [0, 2]) func homeAndVariablesAreExpanded(ranks: Int) async throws {
        let space = try Workspace()
        let outcome = try await space.train(
            Self.short + [
                "--run.directory=~/a/{name}/", "--data.path", "$GECKO_TEST_DATA/corpus.txt", "--checkpoint.directory",
                "${HOME}/c{{1}}",
            ],
            ranks: ranks, environment: ["HOME": space.path + "/home", "GECKO_TEST_DATA": space.path])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(FileManager.default.fileExists(atPath: space.path + "/home/a/run/model.safetensors"))
        let checkpoints = try FileManager.default.contentsOfDirectory(atPath: space.path + "/home/c{1}")
        #expect(checkpoints.contains { $0.hasPrefix("step-") }, "\(checkpoints)")
        // The run is found again by the file that it left, where no variable is set.
        let list = try await space.gecko("checkpoint", "list", space.path + "/home/a/run")
        #expect(list.exitCode == 0 && !list.output.contains("no checkpoints"), "\(list.output)")
    }

    @Test(arguments: [
        ["--run.directory", "x{nme}"], ["--run.directory", "$GECKO_TEST_UNSET/r"], ["--run.directory", "r\r"],
        ["--run.directory", "~no-such-user-here/r"], ["--data.path", "$GECKO_TEST_UNSET/c.txt"],
        ["--run.directory", "runs/{time}", "--resume"],
    ])
    func whatMeansNothingIsRefused(overrides: [String]) async throws {
        let space = try Workspace()
        let outcome = try await space.train(Self.short + overrides)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains(overrides[0].dropFirst(2)), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: space.path + "/run"))
    }

    @Test func optionsOfCommandsToo() async throws {
        let space = try Workspace()
        let environment = ["HOME": space.path]
        let arguments = ["simulate", "--stages", "2", "--sequences", "2", "--slices", "2"]
        let drawn = try await Mpirun.run("gecko", arguments + ["--svg=~/a.svg"], ranks: 0, environment: environment)
        #expect(drawn.exitCode == 0 && FileManager.default.fileExists(atPath: space.path + "/a.svg"), "\(drawn.output)")
        let refused = try await Mpirun.run("gecko", arguments + ["--svg=$GECKO_TEST_UNSET/a.svg"], ranks: 0)
        #expect(refused.exitCode != 0 && refused.output.contains("$GECKO_TEST_UNSET"), "\(refused.output)")
        let empty = try await Mpirun.run("gecko", arguments + ["--svg", ""], ranks: 0)
        #expect(empty.exitCode == 64 && empty.output.contains("expected a name of a file"), "\(empty.output)")
    }

    @Test(arguments: [0, 2]) func theConfigurationMayComeThroughAPipe(ranks: Int) async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let launcher = ranks == 0 ? "" : try Launchers.command(ranks: ranks).joined(separator: " ") + " "
        let options = "--training.steps 1 --training.sample_tokens 0"
        let script = "cat \(space.path)/run.toml | \(launcher)\(gecko) train /dev/stdin \(options)"
        let outcome = try await Mpirun.run("/bin/sh", ["-c", script], ranks: 0)
        #expect(outcome.exitCode == 0 && outcome.digest != nil, "\(outcome.output)")
    }

    @Test func aSubstitutedProcessIsReadToo() async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let script = "\(gecko) train <(cat \(space.path)/run.toml) --training.steps 1 --training.sample_tokens 0"
        let outcome = try await Mpirun.run("/bin/bash", ["-c", script], ranks: 0)
        #expect(outcome.exitCode == 0 && outcome.digest != nil, "\(outcome.output)")
    }
}
