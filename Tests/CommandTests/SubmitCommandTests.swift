import Foundation
import TestSupport
import Testing

/// `gecko submit` and `gecko status` beside Slurm's programs as they are on clusters: there, missing, refusing, slow.
@Suite(.serialized) struct SubmitCommandTests {
    /// A configuration, a cluster's description, and a folder for programs that play Slurm's.
    private static func space() throws -> Workspace {
        let space = try Workspace()
        try FileManager.default.createDirectory(atPath: space.path + "/bin", withIntermediateDirectories: true)
        try space.write(
            "cluster.toml",
            """
            [cluster]
            nodes = 4
            sockets = 1
            cores = 4
            memory = "16GiB"
            gflops = 60.0
            network = "5us,10gbit"
            """
        )
        return space
    }

    private static func program(_ space: Workspace, _ name: String, _ text: String) throws {
        try space.write("bin/\(name)", "#!/bin/sh\n\(text)\n")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: "\(space.path)/bin/\(name)")
    }

    /// Only the space's programs, and those that scripts need, are found.
    private static func gecko(_ space: Workspace, _ arguments: [String]) async throws -> Mpirun.Outcome {
        for name in ["cat", "echo", "sleep", "sh"]
        where !FileManager.default.fileExists(atPath: "\(space.path)/bin/\(name)") {
            try FileManager.default.createSymbolicLink(
                atPath: "\(space.path)/bin/\(name)", withDestinationPath: "/bin/\(name)")
        }
        return try await Mpirun.run(
            "gecko", arguments, ranks: 0, environment: ["PATH": space.path + "/bin", "SPACE": space.path])
    }

    private static func submit(_ space: Workspace, _ more: [String]) async throws -> Mpirun.Outcome {
        try await gecko(
            space,
            [
                "submit", space.path + "/run.toml", "--nodes", "1", "--time", "1:00:00", "--run.directory",
                space.path + "/runs/new",
            ]
                + more)
    }

    private static func exists(_ space: Workspace, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(space.path)/\(name)")
    }

    @Test func whereThereIsNoSlurmItSaysSo() async throws {
        let space = try Self.space()
        let cluster = ["--cluster", space.path + "/cluster.toml"]
        for more in [[], cluster] {
            let outcome = try await Self.submit(space, more)
            #expect(outcome.exitCode == 1)
            #expect(outcome.output.hasPrefix("Error: no Slurm here"), "\(outcome.output)")
        }
        // Installed, and never set up.
        let complaint =
            """
            for i in 1 2 3; do echo "$0: error: fetch_config: DNS SRV lookup failed" >&2; done
            echo "$0: fatal: Could not establish a configuration source" >&2
            exit 1
            """
        for name in ["sinfo", "sbatch"] { try Self.program(space, name, complaint) }
        for more in [[], cluster] {
            let outcome = try await Self.submit(space, more)
            #expect(outcome.exitCode == 1)
            let errors = outcome.output.split(separator: "\n").filter { $0.contains("rror") }
            #expect(errors.count == 1 && errors[0].hasPrefix("Error: no Slurm here"), "\(outcome.output)")
        }
        #expect(!Self.exists(space, "runs"))
        // The plan needs none.
        let plan = try await Self.submit(space, cluster + ["--dry-run"])
        #expect(plan.exitCode == 0, "\(plan.output)")
        #expect(plan.output.contains("#SBATCH --nodes=1"))
    }

    @Test func whatSbatchRefusesLeavesNothingBehind() async throws {
        let space = try Self.space()
        let cluster = ["--cluster", space.path + "/cluster.toml"]
        try Self.program(space, "sbatch", "echo 'sbatch: error: invalid account' >&2; exit 1")
        let refused = try await Self.submit(space, cluster)
        #expect(refused.exitCode == 1)
        #expect(refused.output.contains("invalid account"), "\(refused.output)")
        #expect(!Self.exists(space, "runs"))

        try Self.program(space, "sbatch", "cat \"$2\" >\"$SPACE/script\"; echo '77;main'")
        let taken = try await Self.submit(space, cluster + ["--name", "it's $(touch harm) #"])
        #expect(taken.exitCode == 0, "\(taken.output)")
        #expect(taken.output.contains("submitted   job 77\n"), "\(taken.output)")
        #expect(!taken.output.contains("#SBATCH"), "\(taken.output)")
        let files = ["job.toml", "job.sbatch", "job.id", "job.speed"].map { "\(space.path)/runs/new/\($0)" }
        let before = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
        #expect(before[1] == (try String(contentsOfFile: space.path + "/script", encoding: .utf8)))

        // What was there stays as it was.
        try Self.program(space, "sbatch", "echo no >&2; exit 1")
        let again = try await Self.submit(space, cluster + ["--training.steps", "99"])
        #expect(again.exitCode == 1)
        #expect(try files.map { try String(contentsOfFile: $0, encoding: .utf8) } == before)
    }

    @Test(arguments: [
        (["--warning", "70000", "--time", "100-00:00:00"], "--warning: expected 1 to 65535 s"),
        (["--warning", "3600"], "--warning"), (["--time", "+1-00"], "--time"), (["--time", "1h"], "--time"),
        (["--name", "a\nb"], "line break"), (["--name", ""], "--name"), (["--partition", "a\nb"], "line break"),
        (["--sbatch=--account=x\n#SBATCH --qos=y"], "line break"), (["--sbatch=physics"], "--sbatch"),
    ])
    func whatSlurmCannotTakeIsRefusedBeforeAnythingIsWritten(_ more: [String], _ words: String) async throws {
        let space = try Self.space()
        try Self.program(space, "sbatch", ": >\"$SPACE/called\"; echo 7")
        let outcome = try await Self.submit(space, ["--cluster", space.path + "/cluster.toml"] + more)
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains(words), "\(outcome.output)")
        #expect(!Self.exists(space, "runs") && !Self.exists(space, "called"))
    }

    @Test func aRunThatIsAtWorkIsNotSubmittedAgain() async throws {
        let space = try Self.space()
        try Self.program(space, "sbatch", ": >\"$SPACE/called\"; echo 7")
        let run = space.path + "/runs/new"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        let lock = open(run + "/run.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX) == 0)
        let outcome = try await Self.submit(space, ["--cluster", space.path + "/cluster.toml"])
        #expect(outcome.exitCode == 1)
        #expect(outcome.output.contains("a run is under way"), "\(outcome.output)")
        #expect(!Self.exists(space, "called"))
    }

    /// A core that measures another speed must not mean another layout.
    @Test func theSpeedThatWasMeasuredIsUsedAgain() async throws {
        let space = try Self.space()
        try Self.program(space, "sinfo", "echo n1 1 4 16000")
        try Self.program(space, "sbatch", "echo 7")
        #expect(try await Self.submit(space, []).exitCode == 0)
        let speed = space.path + "/runs/new/job.speed"
        #expect(try String(contentsOfFile: speed, encoding: .utf8).contains("GFLOP/s"))
        try space.write("runs/new/job.speed", "12.5\n")
        let again = try await Self.submit(space, ["--dry-run"])
        #expect(
            again.output.contains("12.50 GFLOP/s a core, as measured before")
                || again.output.contains("12.5 GFLOP/s a core, as measured before"), "\(again.output)")
        #expect(try await Self.submit(space, ["--dry-run", "--replan"]).output.contains("measured here"))
    }

    @Test(arguments: [
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", "exit 1", "which Slurm doesn't know"),
        (
            "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
            "echo '7|OUT_OF_MEMORY|n1|65|00:10:00|x'", "ran out of memory"
        ),
        ("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1", "exit 1", "gives no answer"),
        ("exec sleep 60", "exec sleep 60", "gives no answer"), ("echo rubbish", "exit 1", "gives no answer"),
        ("echo 'JobId=7 JobName=x JobState=PENDING Reason=(Nodes) Restarts=0'", "exit 1", "waiting to begin"),
    ])
    func statusAnswersWhateverSlurmDoes(_ scontrol: String, _ sacct: String, _ words: String) async throws {
        let space = try Self.space()
        try Self.program(space, "scontrol", scontrol)
        try Self.program(space, "sacct", sacct)
        try FileManager.default.createDirectory(atPath: space.path + "/runs/new", withIntermediateDirectories: true)
        try space.write("runs/new/job.id", "7\n")
        let outcome = try await Self.gecko(space, ["status", space.path + "/runs/new"])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains(words), "\(outcome.output)")
        #expect(outcome.seconds < 40)
    }
}
