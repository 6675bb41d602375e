import Foundation
import TestSupport
import Testing

/// `gecko profile --cluster` and `gecko plan` hand in hand.
@Suite(.serialized) struct PlanTests {
    @Test func aMeasuredMachineIsPlannedFor() async throws {
        let space = try Workspace()
        let stages = ProcessInfo.processInfo.activeProcessorCount > 1 ? 2 : 1
        let machine = space.path + "/machine.toml"
        let profile = try await Mpirun.run(
            "gecko",
            [
                "profile", space.path + "/run.toml", "--steps", "2", "--output", space.path + "/costs.json",
                "--cluster",
                machine, "--pipeline.stages", "\(stages)", "--machine.threads", "1",
            ], ranks: 0)
        #expect(profile.exitCode == 0, "\(profile.output)")
        #expect(profile.output.contains("shortest measured: slices of"))
        let plan = try await Mpirun.run(
            "gecko",
            [
                "plan", machine, space.path + "/run.toml", "--stages", "\(stages)", "--schedule", "1f1b", "--write",
                space.path + "/planned.toml",
            ], ranks: 0)
        #expect(plan.exitCode == 0, "\(plan.output)")
        #expect(plan.output.contains("The same with other slices:"), "\(plan.output)")
        let planned = try await Mpirun.run("gecko", ["train", space.path + "/planned.toml"], ranks: 0)
        #expect(planned.exitCode == 0 && planned.digest != nil, "\(planned.output)")
    }

    @Test("costs go beside the configuration, under its name, if nothing else is said")
    func costsHaveAPlace() async throws {
        let space = try Workspace()
        let profile = try await space.gecko(
            "profile", space.path + "/run.toml", "--steps", "1", "--machine.threads", "1")
        #expect(profile.exitCode == 0, "\(profile.output)")
        let simulated = try await space.gecko("simulate", space.path + "/run.toml", "--no-draw")
        #expect(simulated.output.contains("costs of \(space.path)/run.costs.json"), "\(simulated.output)")
    }

    @Test("a model of absurd sizes is refused before any work")
    func absurdModels() async throws {
        let space = try Workspace()
        try space.write(
            "c.toml", "[cluster]\nnodes = 1\ncores = 2\nmemory = \"1GiB\"\nnetwork = \"1us,1gbit\"\ngflops = 50")
        let text = try String(contentsOfFile: space.path + "/run.toml", encoding: .utf8)
        for (key, value) in [("layers = 4", "layers = 2147483647"), ("ffn_dim = 32", "ffn_dim = 2147483647")] {
            try space.write("big.toml", text.replacingOccurrences(of: key, with: value))
            let outcome = try await space.gecko("plan", space.path + "/c.toml", space.path + "/big.toml")
            #expect(outcome.exitCode != 0 && outcome.exitCode < 128, "\(outcome.output)")
            #expect(outcome.output.contains("2147483647"), "\(outcome.output)")
        }
    }

    @Test(arguments: [
        (["--pipeline.schedule", "auto"], "planner's schedules"), (["--pipeline.replicas", "2"], "one replica"),
        (["--pipeline.stages", "4", "--machine.threads", "16"], "share cores"),
    ])
    func aMachineThatCannotBeMeasuredIsRefused(overrides: [String], words: String) async throws {
        let space = try Workspace()
        let outcome = try await Mpirun.run(
            "gecko",
            ["profile", space.path + "/run.toml", "--cluster", space.path + "/machine.toml", "--output", "/dev/null"]
                + overrides, ranks: 0)
        #expect(outcome.exitCode != 0 && outcome.output.contains(words), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: space.path + "/machine.toml"))
    }

    @Test func planningRefusesWhatItDoesNotKnow() async throws {
        let space = try Workspace()
        try space.write(
            "c.toml", "[cluster]\nnodes = 1\ncores = 2\nmemory = \"1GiB\"\nnetwork = \"1us,1gbit\"\ngflops = 50")
        for (arguments, words) in [
            (["--schedule", "2f2b"], "memory-capped, found '2f2b'"), (["--stages", "3"], "none of"),
            (["--top", "0"], "--top"), (["--overwrite"], "--overwrite changes nothing without --write"),
            (["--threads", "-1"], "--threads: expected at least 1, found -1"),
        ] {
            let outcome = try await Mpirun.run(
                "gecko", ["plan", space.path + "/c.toml", space.path + "/run.toml"] + arguments, ranks: 0)
            #expect(outcome.exitCode != 0 && outcome.output.contains(words), "\(outcome.output)")
        }
    }
}
