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

    @Test(arguments: [
        (["--pipeline.schedule", "auto"], "planner's schedules"), (["--pipeline.replicas", "2"], "one replica"),
        (["--pipeline.stages", "4", "--machine.threads", "64"], "share cores"),
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
        try space.write("c.toml", "[cluster]\nnodes = 1\ncores = 2\nmemory = \"1GiB\"\nnetwork = \"1us\"\ngflops = 50")
        for (arguments, words) in [
            (["--schedule", "2f2b"], "expected one of 1f1b"), (["--stages", "3"], "none of"),
            (["--top", "0"], "--top"),
        ] {
            let outcome = try await Mpirun.run(
                "gecko", ["plan", space.path + "/c.toml", space.path + "/run.toml"] + arguments, ranks: 0)
            #expect(outcome.exitCode != 0 && outcome.output.contains(words), "\(outcome.output)")
        }
    }
}
