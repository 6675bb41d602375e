import Batch
import Foundation
import TestSupport
import Testing

/// Names that people choose in the script that is written: quoted, doubled or refused, never run.
@Suite(.serialized) struct JobScriptTests {
    private static func script(
        name: String = "x", folder: String = "/runs/x", working: String = "/work", gecko: String = "/bin/gecko",
        options: [String] = []
    ) -> JobScript {
        var script = JobScript(
            name: name, slurm: SlurmRequest(nodes: 1, time: "1:00:00", warning: 300, options: options),
            folder: RunFolder(folder), workingDirectory: working, gecko: gecko)
        script.ranksPerNode = 2
        script.plan = "a plan"
        return script
    }

    @Test(arguments: [
        ("plain-1.x", "#SBATCH --job-name=plain-1.x\n"), ("x dir", "#SBATCH \"--job-name=x dir\"\n"),
        ("a\"b\\c", "#SBATCH \"--job-name=a\\\"b\\\\c\"\n"),
        ("it's # $(x) `y` $z", "#SBATCH \"--job-name=it's # $(x) `y` $z\"\n"),
        ("-x", "#SBATCH --job-name=-x\n"), ("é", "#SBATCH \"--job-name=é\"\n"), ("100%", "#SBATCH --job-name=100%\n"),
    ])
    func aJobsNameIsOneArgument(_ name: String, _ line: String) throws {
        let script = Self.script(name: name)
        try script.check()
        #expect(script.text.contains(line), "\(script.text)")
    }

    @Test func foldersAndOptionsAreOneArgumentEachAndNoPatterns() throws {
        let script = Self.script(
            folder: "/runs/xp%j_%x # \"q\"", working: "/my \"work\" %j", options: ["--comment=a b", "--account=us"])
        try script.check()
        #expect(script.text.contains("#SBATCH \"--output=/runs/xp%%j_%%x # \\\"q\\\"/job.log\"\n"), "\(script.text)")
        #expect(script.text.contains("#SBATCH \"--chdir=/my \\\"work\\\" %j\"\n"))
        #expect(script.text.contains("#SBATCH \"--comment=a b\"\n#SBATCH --account=us\n"))
        // For hands.
        #expect(script.text.contains("#     sbatch '/runs/xp%j_%x # \"q\"/job.sbatch'\n"))
    }

    @Test(arguments: [
        ("name", "a\nb", "a line break"), ("name", "a\rb", "U+000D"), ("name", "", "expected a name"),
        ("folder", "/runs/a\nb", "a line break"), ("folder", "/runs/a\\b", "backslash"),
        ("folder", "/runs/a\u{2028}b", "U+2028"), ("working", "/a\nb", "a line break"),
        ("gecko", "/a\nb", "a line break"),
        ("option", "--comment=a\nb", "a line break"), ("option", "account=x", "expected an option"),
        ("option", "--account=x --qos=y", "one option"), ("option", "-A x", "one option"),
        ("option", "", "expected an option"),
    ])
    func whatAScriptCannotCarryIsRefused(_ place: String, _ text: String, _ words: String) throws {
        let script =
            switch place {
            case "name": Self.script(name: text)
            case "folder": Self.script(folder: text)
            case "working": Self.script(working: text)
            case "gecko": Self.script(gecko: text)
            default: Self.script(options: [text])
            }
        let error = #expect(throws: BatchError.self) { try script.check() }
        #expect("\(try #require(error))".contains(words), "\(error as Any)")
    }

    /// The script runs what it was given, whatever it is called.
    @Test(arguments: [
        "a b", "it's", "q\"x", "$(touch harm)", "`touch harm`", "x;touch harm;#", "%j_%x", "-x", "é*", "$HOME",
    ])
    func theScriptRunsInFoldersOfAnyName(_ name: String) async throws {
        let space = try ShimmedSlurm()
        let folder = "\(space.path)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: space.path + "/bin/srun", toPath: folder + "/gecko \(name)")
        try space.program("srun", #"printf '%s\n' "$@" >"$SHIMS/srun.arguments"; exit 75"#)
        let script = Self.script(name: name, folder: folder, working: folder, gecko: folder + "/gecko \(name)")
        try script.check()
        try space.write("job.sbatch", script.text)
        let outcome = try await space.bash("bash job.sbatch; ls")
        let arguments = space.read("srun.arguments").split(separator: "\n").map(String.init)
        #expect(
            arguments.suffix(5) == [
                "--output=" + "\(folder)/logs/rank-%t.log".replacing(name, with: name.replacing("%", with: "%%")),
                "\(folder)/gecko \(name)", "train",
                // gecko reads $$ in a path as a dollar.
                "\(folder)/job.toml".replacing("$", with: "$$"), "--resume",
            ], "\(outcome.output)")
        #expect(FileManager.default.fileExists(atPath: folder + "/logs/rank-0.log"))
        #expect(!outcome.output.split(separator: "\n").contains("harm"))
        #expect(space.read("scontrol.log") == "requeue \(space.job)\n", "\(outcome.output)")
    }
}
