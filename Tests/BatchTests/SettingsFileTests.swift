import Foundation
import TestSupport
import Testing

/// Files of settings, as people write them and as jobs/settings.sh reads them: words as a shell's, nothing carried out.
@Suite(.serialized) struct SettingsFileTests {
    /// The words of a run's line, each with a line break; or the problem.
    private static func words(_ file: String, _ number: Int) async throws -> String {
        let space = try ShimmedSlurm()
        try space.write("settings.txt", file)
        let outcome = try await space.bash(
            """
            set -euo pipefail
            source "$ROOT/jobs/settings.sh"
            read_settings settings.txt \(number) || { printf 'problem: %s' "$problem"; exit; }
            ((${#settings[@]} == 0)) || printf '%s\\n' "${settings[@]}"
            [[ ! -e harm ]] || echo HARM
            """)
        return outcome.output
    }

    @Test(arguments: [
        ("--a 1\n", "--a\n1\n"), ("--a 1", "--a\n1\n"), ("  --a\t1  \n", "--a\n1\n"),
        ("--a=1 --b=2\n", "--a=1\n--b=2\n"),
        ("--a 1\r\n", "--a\n1\n"), ("--a 1\r", "--a\n1\n"), ("\u{FEFF}--a 1\n", "--a\n1\n"),
        ("\n# all\n   # more\n\n--a 1\n", "--a\n1\n"), ("--a 1 # why\n", "--a\n1\n"), ("--a 1#2\n", "--a\n1#2\n"),
        ("--a \"my c.txt\" --b 'x  y'\n", "--a\nmy c.txt\n--b\nx  y\n"), ("--a my\\ c.txt\n", "--a\nmy c.txt\n"),
        ("--a 'it'\"'\"'s' \"\" \"a\\\"b\\n\"\n", "--a\nit's\n\na\"b\\n\n"), ("--a \"don't\"\n", "--a\ndon't\n"),
        (
            "--a $HOME `touch harm` $(touch harm) ; touch harm\n",
            "--a\n$HOME\n`touch\nharm`\n$(touch\nharm)\n;\ntouch\nharm\n"
        ),
        ("--a \"$HOME\" * ~ {1,2} !! &\n", "--a\n$HOME\n*\n~\n{1,2}\n!!\n&\n"), ("--a é–“x”\n", "--a\né–“x”\n"),
        ("-n\n", "-n\n"), ("--a %j %s \\\\\n", "--a\n%j\n%s\n\\\n"),
    ])
    func aLineIsReadAsAShellReadsWords(_ file: String, _ expected: String) async throws {
        #expect(try await Self.words(file, 0) == expected)
    }

    @Test func runsAreTheLinesThatHoldSettings() async throws {
        let file = "# sweep\r\n--a 1\r\n\r\n--a 2\r\n# --a 3\r\n--a 4"
        for (number, value) in [(0, "1"), (1, "2"), (2, "4")] {
            #expect(try await Self.words(file, number) == "--a\n\(value)\n")
        }
        let beyond = try await Self.words(file, 3)
        #expect(beyond.contains("has 3 lines of settings"), "\(beyond)")
        #expect(beyond.contains("run 3, counted from 0"), "\(beyond)")
    }

    @Test(arguments: [
        ("--a 'x\n", "line 1: a quote (') is not closed"), ("\n--a \"x\n", "line 2: a quote (\") is not closed"),
        ("--a x\\\n", "line 1: it ends with a backslash"), ("", "has 0 lines"), ("# only\n", "has 0 lines"),
        ("-\u{0}-\u{0}", "NUL characters"),
    ])
    func whatCannotBeReadIsSaid(_ file: String, _ words: String) async throws {
        let found = try await Self.words(file, 0)
        #expect(found.hasPrefix("problem: settings.txt"), "\(found)")
        #expect(found.contains(words), "\(found)")
    }

    @Test func aSweepGivesItsLineToTheRun() async throws {
        let space = try ShimmedSlurm()
        try space.program("srun", #"printf '%s\n' "$@" >"$SHIMS/srun.arguments""#)
        try space.write("settings.txt", "--data.path \"my c.txt\"\r\n--training.seed 2 # x\r\n")
        let sweep = "export SLURM_ARRAY_JOB_ID=5 SLURM_ARRAY_TASK_ID=0; bash \"$ROOT/jobs/sweep.sbatch\" "
        _ = try await space.bash(sweep + "run.toml settings.txt --training.steps 4 || true")
        #expect(
            space.read("srun.arguments").hasSuffix(
                "train\nrun.toml\n--training.steps\n4\n--data.path\nmy c.txt\n--run.directory\nruns/sweep-5/0\n"))
        for (arguments, words) in [("run.toml", "a file of settings"), ("run.toml nowhere", "cannot read")] {
            let refused = try await space.bash(sweep + arguments + "; echo \"status $?\"")
            #expect(refused.output.contains(words), "\(refused.output)")
            #expect(!refused.output.contains("status 0"))
        }
    }
}
