import Foundation
import TestSupport

/// A folder in which job scripts run as in a job, with Slurm's programs played by small scripts. Gone with the test.
final class ShimmedSlurm {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    let path: String
    /// No job of any other test has it.
    let job = "\(900_000_000 + Int(getpid()) % 90_000_000)\(Int.random(in: 0..<10))"

    /// srun waits for SIGUSR1, notes it and leaves with 75, as ranks that save do. scontrol notes what it is asked for.
    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("shims-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path + "/bin", withIntermediateDirectories: true)
        try program(
            "srun",
            """
            trap 'echo got-USR1 >>"$SHIMS/srun.log"; exit 75' USR1
            printf '%s\\n' "$@" >"$SHIMS/srun.arguments"
            : >"$SHIMS/started"
            for ((i = 0; i < 200; i++)); do command sleep 0.05; done
            exit 70
            """)
        try program(
            "scontrol",
            #"if [[ $1 == show ]]; then echo JobState=RUNNING; else echo "$@" >>"$SHIMS/scontrol.log"; fi"#)
        try program("squeue", "echo 1:00:00")
        try program("sbatch", "echo 77")
        try program("scancel", #"echo "$@" >>"$SHIMS/scancel.log""#)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func program(_ name: String, _ text: String) throws {
        try write("bin/\(name)", "#!/bin/bash\n\(text)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(path)/bin/\(name)")
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    }

    func read(_ name: String) -> String { (try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)) ?? "" }

    /// Runs lines of bash in the folder, as in a job of one node.
    func bash(_ text: String) async throws -> Mpirun.Outcome {
        let environment = [
            "PATH": "\(path)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")", "SHIMS": path,
            "SLURM_JOB_ID": job, "SLURM_JOB_NAME": "x", "SLURM_JOB_NUM_NODES": "1", "SLURM_NTASKS": "1",
            "SLURM_JOB_NODELIST": "n1", "ROOT": Self.root, "GECKO": "\(path)/bin/srun",
        ]
        return try await Mpirun.run(
            "/bin/bash", ["-c", "cd \"$SHIMS\"\n" + text], ranks: 0, environment: environment, limit: 30)
    }
}
