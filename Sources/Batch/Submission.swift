import Foundation
import Simulation
import Training

/// A run on its way into the queue: where it goes, how it is laid out, the script that starts it.
package struct Submission {
    package struct Request: Sendable {
        package var slurm: SlurmRequest
        package var name: String?
        package var gecko: String
        /// Choose a layout anew, also for a run that has one.
        package var replan: Bool

        package init(slurm: SlurmRequest, name: String?, gecko: String, replan: Bool = false) {
            self.slurm = slurm
            self.name = name
            self.gecko = gecko
            self.replan = replan
        }
    }

    package let folder: RunFolder
    package let configuration: RunConfiguration
    package let script: JobScript
    /// The planner's choice; nil when the run keeps the layout that it has.
    package let best: PlannedRun?
    /// What stays as it is in a run that has begun, for people.
    package let kept: String?
    /// What the plan was made for; nil when none was.
    package let cluster: Cluster?

    /// - Parameter describeCluster: the nodes to be used, asked for when a plan is to be made; their number is the
    /// request's
    package init(
        _ request: Request, configuration given: RunConfiguration,
        cluster describeCluster: (RunFolder) throws -> Cluster
    ) throws {
        try request.slurm.check()
        folder = Self.folder(of: given)
        var script = JobScript(
            name: request.name ?? URL(fileURLWithPath: folder.path).lastPathComponent, slurm: request.slurm,
            folder: folder, workingDirectory: FileManager.default.currentDirectoryPath, gecko: request.gecko)
        guard access(script.workingDirectory, X_OK) == 0 else {
            throw BatchError(
                "the job can't be told in which folder to start: this one is gone, or its name isn't UTF-8 text")
        }
        // What a script can't carry is known before the planner begins.
        try script.check()
        let layout = request.replan ? nil : try KeptLayout(folder)
        var configuration: RunConfiguration
        if let layout, let whole = layout.whole(given, nodes: request.slurm.nodes) {
            configuration = whole.configuration
            script.ranksPerNode = whole.ranksPerNode
            script.plan = layout.description
            (best, kept, cluster) = (nil, layout.wholeNote, nil)
        } else {
            var cluster = try describeCluster(folder)
            cluster.nodes = request.slurm.nodes
            let best = try Self.plan(given, cluster, layout)
            configuration = given
            configuration.adopt(best)
            script.ranksPerNode = best.candidate.ranksPerNode
            script.plan = best.candidate.description
            (self.best, kept, self.cluster) = (best, layout?.bitsNote, cluster)
        }
        configuration.runPath = folder.path
        configuration.run.overwrite = false
        _ = try configuration.validated(world: request.slurm.nodes * script.ranksPerNode)
        try script.check()
        self.configuration = configuration
        self.script = script
    }

    /// The folder of the run that a configuration describes.
    package static func folder(of configuration: RunConfiguration) -> RunFolder {
        RunFolder(RunDirectory.resolve(configuration.run.directory, configurationFile: configuration.file, now: Date()))
    }

    private static func plan(_ given: RunConfiguration, _ cluster: Cluster, _ layout: KeptLayout?) throws -> PlannedRun
    {
        let model = PlannedModel(given)
        var choice = given.planChoice
        layout?.settle(&choice)
        do {
            let runs = try Planner(cluster: cluster, model: model, choice: choice).plan()
            let report = PlanReport(cluster: cluster, model: model, runs: runs)
            guard let best = report.best else { throw BatchError(report.text(best: 1)) }
            return best
        } catch {
            guard let layout else { throw error }
            throw BatchError("\(error)\nThe run keeps \(layout.bitsNote)")
        }
    }
}
