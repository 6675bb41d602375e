import Batch
import Foundation
import TestSupport
import Testing

/// A job script and the restart loop outlive what they say: whatever becomes of their output, the ranks are started,
/// are told, and the job goes back into the queue.
@Suite(.serialized) struct JobOutputTests {
    /// Where a script's output goes; each leaves `child` as the script's process number.
    static let outputs: [(name: String, start: String)] = [
        ("full disk", "\"${script[@]}\" >/dev/full 2>/dev/full & child=$!"),
        ("full disk, errors seen", "\"${script[@]}\" >/dev/full & child=$!"),
        ("closed output", "\"${script[@]}\" >&- & child=$!"),
        ("closed errors", "\"${script[@]}\" 2>&- & child=$!"),
        ("everything closed", "\"${script[@]}\" <&- >&- 2>&- & child=$!"),
        // A pipe whose reader is gone: writing to it raises SIGPIPE.
        ("no reader", "mkfifo p; exec 5<>p 6>p; exec 5>&-; \"${script[@]}\" >&6 2>&6 & child=$!; exec 6>&-"),
    ]

    private static let warnAndWait = """

        for ((i = 0; i < 400; i++)); do [[ ! -e started ]] || break; sleep 0.02; done
        kill -USR1 $child
        wait $child; echo "status $?"
        """

    private static func job(_ space: ShimmedSlurm, folder: String = "run") -> JobScript {
        JobScript(
            name: "x", slurm: SlurmRequest(nodes: 1, time: "1:00:00", warning: 300),
            folder: RunFolder("\(space.path)/\(folder)"), workingDirectory: space.path,
            gecko: "\(space.path)/bin/srun")
    }

    /// The script that gecko submit writes, and the one that people submit themselves.
    @Test(arguments: [true, false]) func aWarnedJobSavesAndGoesBackIntoTheQueue(written: Bool) async throws {
        for output in Self.outputs {
            let space = try ShimmedSlurm()
            try space.write("job.sbatch", Self.job(space).text)
            let script = written ? "script=(bash job.sbatch)" : "script=(bash \"$ROOT/jobs/requeue.sbatch\" run.toml)"
            let outcome = try await space.bash(script + "\n" + output.start + Self.warnAndWait)
            #expect(outcome.output.hasSuffix("status 75\n"), "\(output.name): \(outcome.output)")
            #expect(space.read("srun.log") == "got-USR1\n", "\(output.name): \(outcome.output)")
            #expect(space.read("scontrol.log") == "requeue \(space.job)\n", "\(output.name): \(outcome.output)")
        }
    }

    @Test func aChainTrainsAndKeepsItsNextJobWhereItCannotSpeak() async throws {
        for output in Self.outputs {
            let space = try ShimmedSlurm()
            let outcome = try await space.bash(
                "script=(bash \"$ROOT/jobs/chain.sbatch\" run.toml)\n" + output.start + Self.warnAndWait)
            #expect(outcome.output.hasSuffix("status 75\n"), "\(output.name): \(outcome.output)")
            #expect(space.read("srun.log") == "got-USR1\n", "\(output.name): \(outcome.output)")
            #expect(space.read("scancel.log") == "")
        }
    }

    @Test func theLoopStartsAgainAndPassesSignalsOnWhereItCannotSpeak() async throws {
        for output in Self.outputs {
            let space = try ShimmedSlurm()
            // Dies twice, then waits for its signal.
            try space.write(
                "command.sh",
                """
                echo >>starts
                (($(wc -l <starts) == 3)) || exit 137
                exec srun
                """)
            let outcome = try await space.bash(
                "script=(bash \"$ROOT/jobs/restart.sh\" --pause 0 bash command.sh)\n" + output.start
                    + Self.warnAndWait)
            #expect(outcome.output.hasSuffix("status 75\n"), "\(output.name): \(outcome.output)")
            #expect(space.read("srun.log") == "got-USR1\n", "\(output.name): \(outcome.output)")
            #expect(space.read("starts") == "\n\n\n")
        }
    }

    /// Programs that fail, or are not there, cost what they would have told.
    @Test(arguments: ["squeue", "tail", "date", "timeout", "mkdir"])
    func aProgramThatFailsKeepsNobodyFromTheQueue(_ name: String) async throws {
        let space = try ShimmedSlurm()
        try space.program(name, "exit 1")
        try space.write("job.sbatch", Self.job(space).text)
        let outcome = try await space.bash(
            "script=(bash job.sbatch)\n\"${script[@]}\" & child=$!" + Self.warnAndWait
                + "\nrm -f /tmp/gecko-job-$SLURM_JOB_ID-rank-0.log")
        #expect(outcome.output.contains("status 75\n"), "\(outcome.output)")
        #expect(space.read("srun.log") == "got-USR1\n", "\(outcome.output)")
        #expect(space.read("scontrol.log") == "requeue \(space.job)\n", "\(outcome.output)")
    }

    @Test func whereScontrolFailsTheRanksAreToldAllTheSame() async throws {
        let space = try ShimmedSlurm()
        try space.program("scontrol", #"echo "$1" >>"$SHIMS/scontrol.log"; exit 1"#)
        try space.program("sleep", "exit 0")
        try space.write("job.sbatch", Self.job(space).text)
        let wait = Self.warnAndWait.replacing("sleep 0.02", with: "command -p sleep 0.02")
        let outcome = try await space.bash("bash job.sbatch & child=$!" + wait)
        #expect(outcome.output.hasSuffix("status 75\n"), "\(outcome.output)")
        #expect(outcome.output.contains("submit it again"), "\(outcome.output)")
        #expect(space.read("srun.log") == "got-USR1\n")
        #expect(space.read("scontrol.log").split(separator: "\n").filter { $0 == "requeue" }.count > 1)
    }

    @Test func aCancelledJobStaysOutOfTheQueue() async throws {
        let space = try ShimmedSlurm()
        try space.program(
            "scontrol", #"[[ $1 != show ]] || { echo JobState=CANCELLED; exit; }; echo "$@" >>"$SHIMS/scontrol.log""#)
        try space.write("job.sbatch", Self.job(space).text)
        let outcome = try await space.bash("bash job.sbatch & child=$!" + Self.warnAndWait)
        #expect(outcome.output.hasSuffix("status 75\n"), "\(outcome.output)")
        #expect(space.read("scontrol.log") == "")
    }

    /// The ranks' log: where its folder can't be made, it is in /tmp of each node.
    @Test func ranksHaveALogWhereTheirFolderCannotBeMade() async throws {
        let space = try ShimmedSlurm()
        try space.write("run", "a file, where the folder should be")
        try space.write("job.sbatch", Self.job(space).text)
        let outcome = try await space.bash(
            "bash job.sbatch & child=$!" + Self.warnAndWait + "\nrm /tmp/gecko-job-$SLURM_JOB_ID-rank-0.log")
        #expect(outcome.output.contains("cannot be written"), "\(outcome.output)")
        #expect(space.read("srun.arguments").contains("--output=/tmp/gecko-job-\(space.job)-rank-%t.log\n"))
        #expect(space.read("scontrol.log") == "requeue \(space.job)\n")
    }

    @Test func aFinishedRunIsToldFromAStepThatNeverBegan() async throws {
        for (line, status) in [("parameters sha256 abc", 0), ("something else", 1)] {
            let space = try ShimmedSlurm()
            try space.program(
                "srun", #"for a; do [[ $a != --output=* ]] || log=${a#--output=}; done; echo "$LINE" >"${log/\%t/0}""#)
            try space.write("job.sbatch", Self.job(space).text)
            let outcome = try await space.bash("export LINE='\(line)'; bash job.sbatch; echo \"status $?\"")
            #expect(outcome.output.hasSuffix("status \(status)\n"), "\(outcome.output)")
            #expect(outcome.output.contains("\nended     status \(status), "), "\(outcome.output)")
            #expect(outcome.output.contains("Z: ") || outcome.output.contains(": \(line)\n"), "\(outcome.output)")
        }
    }

    /// The job's log in order: what it was told, how the turn ended, and where it goes.
    @Test func theLinesOfTheLogComeInTheOrderOfThings() async throws {
        let space = try ShimmedSlurm()
        // As Slurm does: it ends the script once the job is back in the queue.
        try space.program(
            "scontrol", #"[[ $1 != show ]] || { echo JobState=RUNNING; exit; }; kill -TERM $PPID"#)
        try space.write("job.sbatch", Self.job(space).text)
        let outcome = try await space.bash("bash job.sbatch & child=$!" + Self.warnAndWait)
        let words = outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
        #expect(words == ["job", "nodes", "log", "warned", "ended", "saved", "status"], "\(outcome.output)")
    }

    @Test(arguments: ["chain", "many-nodes", "one-node", "requeue", "sweep"])
    func aScriptThatIsRunByHandSaysWhatItIs(_ name: String) async throws {
        let space = try ShimmedSlurm()
        let script = "\(ShimmedSlurm.root)/jobs/\(name).sbatch"
        let help = try await space.bash("unset SLURM_JOB_ID; bash \(script) --help; echo \"status $?\"")
        #expect(help.output.contains("sbatch "), "\(help.output)")
        #expect(!help.output.contains("#SBATCH"))
        #expect(help.output.hasSuffix("status 0\n"))
        let alone = try await space.bash("unset SLURM_JOB_ID; bash \(script) run.toml; echo \"status $?\"")
        #expect(alone.output.contains("submit me with sbatch"), "\(alone.output)")
        #expect(alone.output.hasSuffix("status 64\n"))
        #expect(space.read("srun.arguments") == "")
    }

    @Test func aScriptThatWasWrittenSaysWhatItIs() async throws {
        let space = try ShimmedSlurm()
        try space.write("job.sbatch", Self.job(space).text)
        let help = try await space.bash(
            "unset SLURM_JOB_ID; bash job.sbatch --help; bash job.sbatch; echo \"status $?\"")
        #expect(help.output.contains("sbatch \(space.path)/run/job.sbatch"), "\(help.output)")
        #expect(help.output.contains("submit me with sbatch"))
        #expect(help.output.hasSuffix("status 64\n"))
    }
}
