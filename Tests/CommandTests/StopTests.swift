import Foundation
import TestSupport
import Testing

/// A signal on any rank stops all of them at the same step's boundary, saved, with an exit code that asks for another
/// start.
@Suite(.serialized) struct StopTests {
    private static let steps = [
        "--training.steps", "12", "--training.evaluate_every", "4", "--run.overwrite", "false", "--pipeline.stages",
        "2",
    ]

    private func digest(_ space: Workspace) async throws -> String {
        let whole = try await space.train(Self.steps + ["--run.directory", space.path + "/whole"])
        return try #require(whole.digest, "\(whole.output)")
    }

    @Test func everySignalOnOneRankSavesAndTheSameCommandGoesOn() async throws {
        let space = try Workspace()
        let digest = try await digest(space)
        let cases: [(fault: String, name: String, step: Int, ranks: Int, more: [String])] = [
            ("gradients:5:1:term", "SIGTERM", 6, 2, []),
            ("gradients:6:0:usr1", "SIGUSR1", 7, 2, ["--checkpoint.every", "0"]),
            ("step:4:0:int", "SIGINT", 5, 0, []),
            ("step:4:0:hup", "SIGHUP", 5, 0, []),
            ("gradients:5:1:xcpu", "SIGXCPU", 6, 2, []),
            ("gradients:5:0:usr2", "SIGUSR2", 6, 0, ["--checkpoint.every", "0"]),
            ("gradients:5:0:pipe", "SIGPIPE", 6, 0, []),
            // In the evaluation after step 8, and after the last step.
            ("evaluate:8:0:hup", "SIGHUP", 8, 0, []),
            ("gradients:7:1:int", "SIGINT", 8, 0, ["--checkpoint.every", "4"]),
            ("gradients:11:1:term", "SIGTERM", 12, 2, []),
        ]
        for (i, c) in cases.enumerated() {
            let run = ["--run.directory", "\(space.path)/run\(i)"] + c.more
            let cut = try await space.train(Self.steps + run, ranks: c.ranks, environment: ["GECKO_FAULT": c.fault])
            #expect(cut.exitCode == 75, "\(c.fault): \(cut.output)")
            #expect(cut.output.contains("stopped by \(c.name)"), "\(c.fault): \(cut.output)")
            #expect(cut.output.contains("after step \(c.step): saved in"), "\(c.fault): \(cut.output)")
            let again = try await space.train(Self.steps + run, ranks: 0)
            #expect(again.exitCode == 0)
            #expect(again.output.contains("resuming after step \(c.step) "), "\(c.fault): \(again.output)")
            #expect(again.output.contains("held-out loss"), "\(c.fault): \(again.output)")
            #expect(again.digest == digest, "\(c.fault): \(again.output)")
        }
    }

    /// Long before the first step: a run that is still reading is asked, too.
    @Test(arguments: [0, 2]) func aSignalBeforeTheFirstStepStopsTheRunThere(ranks: Int) async throws {
        let space = try Workspace()
        let run = Self.steps + ["--run.directory", space.path + "/run"]
        let cut = try await space.train(run, ranks: ranks, environment: ["GECKO_FAULT": "start:0:*:usr1"])
        #expect(cut.exitCode == 75, "\(cut.output)")
        #expect(cut.output.contains("after step 0: nothing to save yet"), "\(cut.output)")
        let again = try await space.train(run, ranks: ranks)
        #expect(again.digest == (try await digest(space)), "\(again.output)")
    }

    /// One signal stops at the next boundary; the rank that is in a step for ever needs the second one.
    @Test(arguments: [
        ("USR1", "TERM", SIGTERM), ("HUP", "HUP", SIGHUP), ("USR2", "USR2", SIGUSR2), ("PIPE", "PIPE", SIGPIPE),
        ("XCPU", "XCPU", SIGXCPU),
    ])
    func aSecondSignalGivesUpAtOnce(first: String, second: String, number: Int32) async throws {
        let space = try Workspace()
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        // Whoever has told of step 1 asks for signals at the end of step 2, which never comes. A signal that is no
        // longer pending has been taken: two of a number at once would be one.
        let script = """
            cd '\(space.path)'
            GECKO_FAULT=gradients:1:0:hang '\(gecko)' train run.toml --run.directory run --training.log_every 1 &
            until grep -q '^.* 1/' run/train.log 2>/dev/null; do sleep 0.01; done
            kill -\(first) $!
            while grep -qE '^(Sig|Shd)Pnd:.*[1-9a-f]' /proc/$!/status; do sleep 0.01; done
            sleep 0.5
            kill -0 $! && echo 'one signal waits for the step'
            kill -\(second) $!
            wait $!
            """
        let outcome = try await Mpirun.run("/bin/bash", ["-c", script], ranks: 0, limit: 40)
        #expect(outcome.exitCode == 128 + number && !outcome.timedOut, "\(outcome.output)")
        #expect(outcome.output.contains("one signal waits for the step"), "\(outcome.output)")
    }

    @Test(arguments: [0, 2]) func aNotANumberOnOneRankIsSkippedByAll(ranks: Int) async throws {
        let space = try Workspace()
        let run = Self.steps + ["--data.streams", "true", "--checkpoint.every", "4"]
        let faults = "gradients:4:1:nan"
        let environment = ["GECKO_FAULT": faults]
        let whole = try await space.train(
            run + ["--run.directory", space.path + "/whole"], ranks: ranks, environment: environment)
        #expect(whole.exitCode == 0)
        #expect(whole.output.contains("skipped 1 steps"), "\(whole.output)")
        // Saved after the skip, and gone on from there: the same bytes.
        let cut = try await space.train(
            run, ranks: ranks, environment: ["GECKO_FAULT": faults + ",gradients:6:0:term"])
        #expect(cut.exitCode == 75)
        let again = try await space.train(run, ranks: ranks, environment: environment)
        #expect(again.digest == whole.digest, "\(again.output)")
    }

    @Test func tooManyInARowEndTheRunWithItsCheckpointsIntact() async throws {
        let space = try Workspace()
        let digest = try await digest(space)
        let run = Self.steps + ["--training.max_nonfinite", "3", "--checkpoint.every", "4"]
        let faults = (5...7).map { "gradients:\($0):0:nan" }.joined(separator: ",")
        let cut = try await space.train(run, ranks: 2, environment: ["GECKO_FAULT": faults])
        #expect(cut.exitCode == 1, "\(cut.output)")
        #expect(cut.output.contains("3 steps in a row"), "\(cut.output)")
        let again = try await space.train(run, ranks: 2)
        #expect(again.output.contains("resuming after step 4"), "\(again.output)")
        #expect(again.digest == digest, "\(again.output)")
    }

    /// At its end a run has nothing to come back for: it cuts the sample short and saves the model.
    @Test func aSignalDuringTheSampleEndsTheRun() async throws {
        let space = try Workspace()
        let digest = try await digest(space)
        for (fault, ranks) in [("sample:12:0:term", 2), ("save-model:12:0:hup", 0)] {
            let run = ["--training.sample_tokens", "200000", "--run.directory", "\(space.path)/run\(ranks)"]
            let more = fault.hasPrefix("save") ? ["--training.sample_tokens", "5"] : []
            let outcome = try await space.train(
                Self.steps + run + more, ranks: ranks, environment: ["GECKO_FAULT": fault])
            #expect(outcome.exitCode == 0 && outcome.digest == digest, "\(fault): \(outcome.output)")
        }
    }

    /// Who started it with these ignored, as nohup does, wants it to go on; SIGTERM counts in any case.
    @Test func signalsThatWereIgnoredStayIgnored() async throws {
        let space = try Workspace()
        let digest = try await digest(space)
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        func run(_ name: String, _ faults: String) async throws -> Mpirun.Outcome {
            let words = (["train", space.path + "/run.toml"] + Self.steps).joined(separator: " ")
            return try await Mpirun.run(
                "/bin/bash",
                [
                    "-c",
                    "trap '' HUP XCPU USR2 PIPE TERM; exec '\(gecko)' \(words) --run.directory '\(space.path)/\(name)'",
                ],
                ranks: 0, environment: ["GECKO_FAULT": faults])
        }
        let ignoring = try await run("a", "gradients:2:0:hup,gradients:3:0:xcpu,gradients:4:0:usr2,gradients:5:0:pipe")
        #expect(ignoring.exitCode == 0 && ignoring.digest == digest, "\(ignoring.output)")
        #expect(try await run("b", "gradients:3:0:term").exitCode == 75)
    }

    /// What isn't saved is not reported as saved, by no word and not by the exit code.
    @Test func aStopThatCannotBeSavedSaysSo() async throws {
        let space = try Workspace()
        let run = Self.steps + ["--checkpoint.every", "4"]
        let none = try await space.train(
            run + ["--run.directory", space.path + "/none"],
            environment: ["GECKO_FAULT": "gradients:1:0:term,part-half:2:0:fail"])
        #expect(none.exitCode == 1, "\(none.output)")
        #expect(none.output.contains("could NOT be saved") && none.output.contains("holds no whole checkpoint"))
        let older = try await space.train(
            run, ranks: 2, environment: ["GECKO_FAULT": "gradients:5:1:usr1,manifest-half:6:0:fail"])
        #expect(older.exitCode == 1, "\(older.output)")
        #expect(older.output.contains("the newest checkpoint is that of step 4"), "\(older.output)")
        #expect(!older.output.contains("saved in"))
        #expect(try await space.train(run).output.contains("resuming after step 4"))
    }
}
