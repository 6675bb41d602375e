import ArgumentParser
import Batch
import Figures
import Files
import Foundation
import Simulation
import Training

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Plan a run for some nodes of a Slurm cluster and put it into the queue.",
        discussion: """
            gecko submit run.toml --nodes 8 --time 12:00:00 --dry-run
            gecko submit run.toml --nodes 8 --time 12:00:00 --training.steps 100000
            gecko status runs/run

            Asks Slurm what the nodes are, or takes [cluster] from a file (gecko profile --cluster measures one), \
            chooses stages, replicas, slices, schedule and threads \
            as gecko plan does, and writes job.sbatch and job.toml into the run's folder. The job saves and goes back \
            into the queue before its \
            time limit until the run is finished; a lost node does the same. A layout key on the command line \
            (--pipeline.stages 4) is kept. \
            A run that has begun keeps its layout, and so its bits, when it is submitted again; --replan chooses anew. \
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

    @Option(
        help: "Description of the cluster, as gecko plan takes it, instead of what Slurm says.", transform: pathOption)
    var cluster: String?

    @Option(help: "Latency and bandwidth between nodes, where no --cluster says it.")
    var network = "5us,25gbit"

    @Option(
        name: .customLong("sbatch"), parsing: .unconditionalSingleValue,
        help: "A further option of sbatch, such as --sbatch=--account=physics; may be repeated.")
    var options: [String] = []

    @Flag(help: "Choose the layout anew, also for a run that has begun: its bits may change.")
    var replan = false

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
        if !dryRun { try Submission.checkSlurm() }
        _ = try configuration.forPlanning()
        var further = options
        if let partition { further.insert("--partition=\(partition)", at: 0) }
        let gecko = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        guard FileManager.default.isExecutableFile(atPath: gecko) else {
            throw ValidationError("this program was replaced while it ran (\(gecko)): start gecko submit again")
        }
        let request = Submission.Request(
            slurm: SlurmRequest(nodes: nodes, time: time, warning: warning, options: further), name: name,
            gecko: gecko, replan: replan)
        let submission = try Submission(request, configuration: configuration) {
            try describeCluster(for: configuration, in: $0)
        }
        try Console.show(submission.summary)
        guard !dryRun else {
            try Console.show(
                """

                \(submission.script.text)
                Nothing was written or submitted (--dry-run).
                """)
            return
        }
        let job = try submission.submit()
        Console.say(submission.farewell(job))
    }

    /// GFLOP/s of a core here, or as it was measured when the run was submitted before.
    private func coreSpeed(_ configuration: RunConfiguration, _ folder: RunFolder) -> (gflops: Double, origin: String) {
        if !replan, let stored = StoredSpeed.gflops(folder) { return (stored, "as measured before (\(folder.speed))") }
        return (CoreSpeed.measureGFLOPS(for: configuration), "measured here")
    }

    private func describeCluster(for configuration: RunConfiguration, in folder: RunFolder) throws -> Cluster {
        if let cluster {
            guard let text = try? String(contentsOfFile: cluster, encoding: .utf8) else {
                throw ValidationError("cannot read the cluster's description \(cluster)")
            }
            return try ClusterFile.cluster(
                text, name: cluster, measured: { coreSpeed(configuration, folder).gflops })
        }
        let shape = try NodeShape.ask(partition: partition)
        guard nodes <= shape.nodes else {
            throw ValidationError(
                "--nodes: \(nodes) of the \(shape.nodes) nodes that \(partition ?? "the cluster") has")
        }
        let speed = coreSpeed(configuration, folder)
        try Console.show(
            """
            cluster     nodes of \(shape.cores) cores on \(shape.sockets) socket(s), \
            \(Int(shape.memory).asBytes)\(shape.areAlike ? "" : " (the least of unlike nodes)"), by sinfo
                        \(speed.gflops.significant) GFLOP/s a core, \(speed.origin); network \(network), assumed \
                        (--network, --cluster)
            """)
        return try Cluster(
            nodes: nodes, node: .init(sockets: shape.sockets, cores: shape.cores, memory: shape.memory),
            core: .init(gflops: speed.gflops), network: Link(text: network))
    }
}
