import ArgumentParser
import Batch
import Files
import Foundation
import Simulation
import Training

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plan a run for some nodes of a Slurm cluster and put it into the queue.",
        discussion: """
            gecko submit run.toml --nodes 8 --time 12:00:00 --dry-run
            gecko submit run.toml --nodes 8 --time 12:00:00 --training.steps 100000
            gecko status runs/run

            Asks Slurm what the nodes are, or takes [cluster] from a file (gecko profile --cluster measures one), chooses stages, replicas, slices, schedule and threads \
            as gecko plan does, and writes job.sbatch and job.toml into the run's folder. The job saves and goes back into the queue before its \
            time limit until the run is finished; a lost node does the same. A layout key on the command line (--pipeline.stages 4) is kept. \
            Submit from the folder in which the configuration's relative paths hold.
            """)

    @Option(help: "Nodes.")
    var nodes: Int

    @Option(help: "Time limit of each turn, as Slurm takes it: 12:00:00, 1-00:00:00, 90 (minutes).")
    var time: String

    @Option(help: "Seconds before the limit at which the ranks save and leave.")
    var warning = 300

    @Option(help: "Partition.")
    var partition: String?

    @Option(help: "The job's name; the run folder's if not given.")
    var name: String?

    @Option(help: "Description of the cluster, as gecko plan takes it, instead of what Slurm says.")
    var cluster: String?

    @Option(help: "Latency and bandwidth between nodes, where no --cluster says it.")
    var network = "5us,25gbit"

    @Option(
        name: .customLong("sbatch"), parsing: .unconditionalSingleValue,
        help: "A further option of sbatch, such as --sbatch=--account=physics; may be repeated.")
    var options: [String] = []

    @Flag(help: "Show the plan and the script; write and submit nothing.")
    var dryRun = false

    @OptionGroup var arguments: RunArguments

    func validate() throws {
        try OptionBounds.check("--nodes", nodes, atLeast: 1)
        try OptionBounds.check("--warning", warning, atLeast: 1)
        do { _ = try Link(text: network) } catch { throw ValidationError("--network: \(error)") }
        guard arguments.file != nil else {
            throw ValidationError("expected the run's configuration: gecko submit run.toml ...")
        }
    }

    func run() throws {
        let configuration = try arguments.configuration()
        var further = options
        if let partition { further.insert("--partition=\(partition)", at: 0) }
        let request = Submission.Request(
            nodes: nodes, time: time, warning: warning, name: name,
            gecko: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path, options: further)
        let submission = try Submission(
            request, configuration: configuration, cluster: try describeCluster(for: configuration))
        let best = submission.best
        try Console.show(
            """
            plan        \(best.candidate.ranksPerNode) rank(s) a node: \(best.candidate.description)
                        \(Figures.time(best.stepTime)) a step, bubble \(Figures.percentage(best.bubble)), \(Figures.bytes(Int(best.memory))) a rank; others: gecko plan
            run         \(submission.folder.path)

            \(submission.script.text)
            """)
        guard !dryRun else {
            try Console.show("Nothing was written or submitted (--dry-run).")
            return
        }
        let job = try submission.submit()
        try Console.show(
            """
            submitted   job \(job)
            follow it   gecko status \(submission.folder.path)
                        tail -F \(submission.folder.logs)/rank-0.log
            """)
    }

    private func describeCluster(for configuration: RunConfiguration) throws -> Cluster {
        if let cluster {
            guard let text = try? String(contentsOfFile: cluster, encoding: .utf8) else {
                throw ValidationError("cannot read the cluster's description \(cluster)")
            }
            return try ClusterFile.cluster(
                text, name: cluster, measured: { CoreSpeed.measureGFLOPS(for: configuration) })
        }
        let query = NodeShape.query + (partition.map { ["-p", $0] } ?? [])
        guard let text = try SlurmCommand.run(query) else {
            throw ValidationError(
                "there is no Slurm here to ask for the nodes; describe them: --cluster FILE (see gecko plan --help)")
        }
        let shape = try NodeShape(sinfo: text)
        guard nodes <= shape.nodes else {
            throw ValidationError(
                "--nodes: \(nodes) of the \(shape.nodes) nodes that \(partition ?? "the cluster") has")
        }
        let speed = CoreSpeed.measureGFLOPS(for: configuration)
        try Console.show(
            """
            cluster     nodes of \(shape.cores) cores on \(shape.sockets) socket(s), \(Figures.bytes(Int(shape.memory)))\(shape.areAlike ? "" : " (the least of unlike nodes)"), by sinfo
                        \(Figures.number(speed)) GFLOP/s a core, measured here; network \(network), assumed (--network, --cluster)
            """)
        return try Cluster(
            nodes: nodes, sockets: shape.sockets, cores: shape.cores, memory: shape.memory, gflops: speed,
            network: Link(text: network))
    }
}
