import Foundation
import Simulation
import Training

/// A run on its way into the queue: where it goes, how it is laid out, the script that starts it.
package struct Submission {
    package struct Request: Sendable {
        package var nodes: Int
        package var time: String
        package var warning: Int
        package var name: String?
        package var gecko: String
        package var options: [String]

        package init(nodes: Int, time: String, warning: Int, name: String?, gecko: String, options: [String]) {
            self.nodes = nodes
            self.time = time
            self.warning = warning
            self.name = name
            self.gecko = gecko
            self.options = options
        }
    }

    package let folder: RunFolder
    package let configuration: RunConfiguration
    package let script: JobScript
    package let best: PlannedRun

    /// - Parameter cluster: the nodes to be used; their number is the request's
    package init(_ request: Request, configuration given: RunConfiguration, cluster: Cluster) throws {
        guard let limit = SlurmTime.seconds(request.time), limit > 0 else {
            throw BatchError(
                "--time: expected a time as Slurm takes it, such as 12:00:00, 1-00:00:00 or 90 (minutes), found '\(request.time)'"
            )
        }
        guard request.warning < limit else {
            throw BatchError("--warning: \(request.warning) s before a limit of \(limit) s leave no time to train")
        }
        var cluster = cluster
        cluster.nodes = request.nodes
        let model = PlannedModel(given)
        let runs = try Planner(cluster: cluster, model: model, choice: given.planChoice).plan()
        let report = PlanReport(cluster: cluster, model: model, runs: runs)
        guard let best = report.best else { throw BatchError(report.text(best: 1)) }
        var configuration = given
        configuration.adopt(best)
        folder = RunFolder(
            RunDirectory.resolve(given.run.directory, configurationFile: given.file, now: Date()))
        configuration.runPath = folder.path
        configuration.run.overwrite = false
        _ = try configuration.validated(world: best.candidate.stages * best.candidate.replicas)
        self.configuration = configuration
        self.best = best
        script = JobScript(
            name: request.name ?? URL(fileURLWithPath: folder.path).lastPathComponent, nodes: request.nodes,
            ranksPerNode: best.candidate.ranksPerNode, time: request.time, warning: request.warning, folder: folder,
            workingDirectory: FileManager.default.currentDirectoryPath, gecko: request.gecko,
            plan: best.candidate.description, options: request.options)
    }

    /// Writes script and configuration into the run's folder and hands the script to sbatch.
    /// - Returns: the job's number
    package func submit() throws -> String {
        if let job = folder.job, let known = SlurmJob.ask(job), known.isAlive {
            throw BatchError(
                "job \(job) of \(folder.path) is \(known.state); end it first (scancel \(job)), or give another run.directory"
            )
        }
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try write(configuration.toml(), folder.configuration)
        try write(script.text, folder.script)
        guard let answer = try SlurmCommand.run(["sbatch", "--parsable", folder.script]) else {
            throw BatchError("there is no sbatch here: submit \(folder.script) where Slurm is")
        }
        let number = String(answer.prefix { $0.isNumber })
        guard !number.isEmpty else { throw BatchError("sbatch answered '\(answer)' instead of a job's number") }
        try write(number + "\n", folder.jobNumber)
        return number
    }

    private func write(_ text: String, _ path: String) throws {
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw BatchError("cannot write \(path): \(error.localizedDescription)")
        }
    }
}
