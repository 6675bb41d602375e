import Foundation
import MPI
import TestSupport
import Testing

/// A run outlives its log: whatever becomes of standard output and error, it goes on to its end with the same bytes.
@Suite(.serialized) struct LostOutputTests {
    /// With enough lines that a pipe or a small disk would be full.
    private static let steps = "--training.steps 12 --training.log_every 1 --run.overwrite false"

    /// What the run itself says in its folder.
    private func log(_ space: Workspace, _ run: String) throws -> String {
        try String(contentsOfFile: "\(space.path)/\(run)/train.log", encoding: .utf8)
    }

    private func digest(in log: String) -> Substring? {
        log.split(separator: "\n").last { $0.contains("parameters sha256 ") }?.suffix(64)
    }

    /// Runs a line of bash in which `$train` starts the run.
    private func bash(_ space: Workspace, _ run: String, _ line: String, ranks: Int = 0) async throws -> Mpirun.Outcome
    {
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let launcher = ranks > 0 ? try Launchers.command(ranks: ranks).joined(separator: " ") + " " : ""
        let script = """
            cd '\(space.path)'
            train='\(launcher)\(gecko) train run.toml \(Self.steps) --run.directory \(space.path)/\(run)'
            \(line)
            """
        return try await Mpirun.run("/bin/bash", ["-c", script], ranks: 0, limit: 90)
    }

    @Test func whateverBecomesOfTheOutputTheRunEndsWell() async throws {
        let space = try Workspace()
        let whole = try await bash(space, "whole", "$train")
        let expected = try #require(whole.digest, "\(whole.output)")
        let cases: [(name: String, line: String, ranks: Int)] = [
            ("full", "$train >/dev/full", 0),
            ("all-full", "$train >/dev/full 2>&1", 0),
            ("closed", "$train >&-", 0),
            ("all-closed", "$train >&- 2>&- <&-", 0),
            ("reader-ends", "$train | head -n 3; exit ${PIPESTATUS[0]}", 0),
            ("errors-read-by-nobody", "$train 2>&1 >/dev/full | true; exit ${PIPESTATUS[0]}", 0),
            // A pipe that is open and full, and that nobody reads.
            ("never-read", "mkfifo f; exec 3<>f; timeout 3 head -c 65536 /dev/zero >&3; $train >&3 3>&-", 0),
            // No file may grow beyond 16 MiB, and this one almost has.
            ("grows-full", "head -c 16776640 /dev/zero >log; ulimit -f 16384; $train >>log 2>&1", 0),
        ]
        // MPICH's mpiexec itself ends, and its ranks with it, when it can't write what they say.
        let ofTwoRanks =
            MPILibrary.current == .mpich
            ? [] : [("two-ranks-full", "$train >/dev/full", 2), ("two-ranks-closed", "$train >&-", 2)]
        for c in cases + ofTwoRanks {
            let outcome = try await bash(space, c.name, c.line, ranks: c.ranks)
            #expect(outcome.exitCode == 0, "\(c.name): \(outcome.output)")
            #expect(digest(in: try log(space, c.name)).map(String.init) == expected, "\(c.name): \(outcome.output)")
        }
    }

    @Test func theRunsFolderHasALogOfEveryLine() async throws {
        let space = try Workspace()
        let run = ["--training.steps", "8", "--training.evaluate_every", "4", "--run.overwrite", "false"]
        let cut = try await space.train(run, environment: ["GECKO_FAULT": "gradients:4:0:term"])
        #expect(cut.exitCode == 75)
        let whole = try await space.train(run)
        #expect(whole.exitCode == 0)
        let lines = try log(space, "run").split(separator: "\n")
        #expect(lines.allSatisfy { $0.firstMatch(of: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ./) != nil }, "\(lines)")
        let said = lines.map { $0.dropFirst(20) }
        // All that was printed, in both starts, is there.
        for line in (cut.output + whole.output).split(separator: "\n") { #expect(said.contains(line), "\(line)") }
        #expect(said.count { $0.hasPrefix("eval 4/8  held out ") } == 1)
        #expect(said.count { $0.hasPrefix("eval 8/8  held out ") } == 1)
        // A run that takes its place begins a log of its own.
        let anew = try await space.train(["--run.overwrite", "true"])
        #expect(anew.exitCode == 0)
        #expect(try !log(space, "run").contains("eval 4/8"))
    }

    /// Standard output that is the log itself is no reason to say everything twice.
    @Test func aLogThatIsTheOutputHasEachLineOnce() async throws {
        let space = try Workspace()
        let outcome = try await bash(space, "run", "mkdir run; $train >run/train.log")
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(try log(space, "run").split(separator: "\n").count { $0.contains("parameters sha256") } == 1)
    }
}

/// A command whose product is what it prints fails when it cannot print it.
@Suite(.serialized) struct UnprintableProductTests {
    @Test func everyCommandEndsWithOne() async throws {
        let space = try Workspace()
        let trained = try await space.train()
        #expect(trained.exitCode == 0, "\(trained.output)")
        try space.write(
            "cl.toml",
            """
            [cluster]
            nodes = 2
            sockets = 1
            cores = 2
            memory = "16GiB"
            gflops = 60.0
            network = "5us,10gbit"
            """)
        let commands = [
            "simulate --stages 2", "simulate --stages 2 --json", "simulate --stages 2 --compare all",
            "plan cl.toml run.toml", "checkpoint list run", "checkpoint inspect run",
            "checkpoint inspect run --tensors",
            "checkpoint verify run", "status run", "topology", "--help", "train --help", "generate run --tokens 3",
            "generate run --step 3 --tokens 3",
        ]
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        for command in commands {
            for (way, words) in [(">/dev/full", "No space left"), (">&-", "standard output is closed")] {
                let outcome = try await Mpirun.run(
                    "/bin/bash", ["-c", "cd '\(space.path)' && exec '\(gecko)' \(command) \(way)"], ranks: 0)
                #expect(outcome.exitCode == 1, "\(command) \(way): \(outcome.exitCode) \(outcome.output)")
                #expect(
                    outcome.output.contains("cannot write the output: \(words)"), "\(command) \(way): \(outcome.output)"
                )
            }
        }
    }
}
