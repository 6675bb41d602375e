import Foundation
import Training

extension Submission {
    /// Writes script and configuration into the run's folder and hands the script to sbatch. When that fails, nothing
    /// is left behind.
    /// - Returns: the job's number
    package func submit() throws -> String {
        try Self.checkSlurm()
        try checkFree()
        var changes = FileChanges()
        let answer: String
        do {
            try changes.makeFolder(folder.path)
            try changes.write(configuration.toml(), folder.configuration)
            try changes.write(script.text, folder.script)
            answer = try SlurmCommand.run(["sbatch", "--parsable", folder.script]) ?? ""
        } catch {
            let complaint = SlurmComplaint("\(error)")
            if complaint.isTimeOut {
                throw BatchError("\(error)\nThe job may be in the queue all the same: look with squeue")
            }
            changes.undo()
            throw complaint.isNoCluster ? BatchError("no Slurm here: sbatch says: \(complaint.summary)") : error
        }
        let number = String(answer.prefix { $0.isASCII && $0.isNumber })
        guard !number.isEmpty else { throw BatchError("sbatch answered '\(answer)' instead of a job's number") }
        do {
            try changes.write(number + "\n", folder.jobNumber)
            // For the next time: who measures again gets another figure, and may get another layout.
            if let cluster { try changes.write(StoredSpeed.text(cluster.core.gflops), folder.speed) }
        } catch {
            throw BatchError("job \(number) is submitted, but: \(error)")
        }
        return number
    }

    /// - Throws: `BatchError` when there is nothing to submit with
    package static func checkSlurm() throws {
        guard SlurmCommand.isInstalled("sbatch") else {
            throw BatchError(
                "no Slurm here: there is no sbatch. Submit from a machine of the cluster; "
                    + "--dry-run shows plan and script anywhere"
            )
        }
    }

    private func checkFree() throws {
        if let number = folder.job, let job = SlurmAnswer.ask(number).job, job.isAlive {
            throw BatchError(
                "job \(number) of \(folder.path) is \(job.state); end it first (scancel \(number)), "
                    + "or give another run.directory"
            )
        }
        if case .process(let owner) = RunLock.holder(of: folder.path) {
            throw BatchError(
                "a run is under way in \(folder.path): \(owner); wait for its end, or give another run.directory")
        }
    }
}

/// Files written one after the other, which can be taken back.
private struct FileChanges {
    private var made: [String] = []
    private var before: [(path: String, contents: Data?)] = []

    mutating func makeFolder(_ path: String) throws {
        var missing = path
        while !FileManager.default.fileExists(atPath: missing), missing != "/" {
            made.append(missing)
            missing = URL(fileURLWithPath: missing).deletingLastPathComponent().path
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw BatchError("cannot make the run's folder \(path): \(error.localizedDescription)")
        }
    }

    mutating func write(_ text: String, _ path: String) throws {
        before.append((path, FileManager.default.contents(atPath: path)))
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw BatchError("cannot write \(path): \(error.localizedDescription)")
        }
    }

    func undo() {
        for (path, contents) in before.reversed() {
            if let contents { try? contents.write(to: URL(fileURLWithPath: path)) } else { unlink(path) }
        }
        // Only what is empty goes.
        for folder in made { rmdir(folder) }
    }
}
