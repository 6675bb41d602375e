import ArgumentParser
import Files
import Foundation
import Schedules
import Simulation
import Training

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Choose stages, replicas, slices, schedule and threads for a model on a cluster.",
        discussion: """
            CLUSTER describes the cluster, in a section [cluster]: nodes, sockets and cores a node, memory a node \
            ("480GiB"), gflops of a core \
            (in the run's model.precision; measured on this machine if left out), overhead (milliseconds a layer takes \
            per slice beside its arithmetic), serial_share, \
            memory_bandwidth ("300GB/s"), network and local as latency,bandwidth ("5us,25gbit"); gecko profile \
            --cluster measures one. RUN is a configuration as gecko train takes \
            it; its model, data.sequence and training.batch count, and of its [pipeline] shard_optimizer and \
            compress_messages; the rest of \
            [pipeline] and machine.threads are what is chosen.
            """)

    @Argument(help: "File that describes the cluster.", transform: pathOption)
    var cluster: String

    @Argument(help: ArgumentHelp("Configuration of the run.", valueName: "run"), transform: pathOption)
    var configuration: String

    @Option(help: "Only layouts with so many stages.")
    var stages: Int?

    @Option(help: "Only layouts with so many replicas.")
    var replicas: Int?

    @Option(help: "Only layouts with so many threads a rank.")
    var threads: Int?

    @Option(help: "Only layouts with slices of so many tokens.")
    var slice: Int?

    @Option(help: "Only layouts with this schedule: \(Planner.schedules.joined(separator: ", ")).")
    var schedule: String?

    @Option(help: ArgumentHelp("Only layouts with (true) or without (false) recompute.", valueName: "true|false"))
    var recompute: Bool?

    @Option(help: "How many of the best layouts are shown.")
    var top = 5

    @Option(help: "Write the configuration of the best layout to this file.", transform: pathOption)
    var write: String?

    @OptionGroup var output: OutputOptions

    @Flag(help: "Print one JSON object; times in milliseconds.")
    var json = false

    func validate() throws {
        for (option, value) in [
            ("--stages", stages), ("--replicas", replicas), ("--threads", threads), ("--slice", slice), ("--top", top),
        ] { try OptionBounds.check(option, value, atLeast: 1) }
        if output.overwrite, write == nil {
            throw ValidationError("--overwrite changes nothing without --write: nothing is written")
        }
        if let schedule, !Planner.schedules.contains(schedule) {
            throw ValidationError(
                "--schedule: expected one of \(Planner.schedules.joined(separator: ", ")), found '\(schedule.shown)'")
        }
    }

    func run() throws {
        try output.check(write, as: .configuration)
        let text = try TextFile.read(cluster, expected: "a cluster's description, as gecko profile --cluster writes")
        var configuration = try RunConfiguration.load(file: self.configuration, overrides: [])
        let checked = try configuration.forPlanning()
        let description = try ClusterFile.cluster(
            text, name: cluster, measured: { CoreSpeed.measureGFLOPS(for: configuration) })
        let model = PlannedModel(checked)
        let report = try PlanReport(
            cluster: description, model: model,
            runs: Planner(cluster: description, model: model, choice: choice).plan())
        try Console.show(json ? report.json(best: top) : report.text(best: top), terminator: "")
        guard let best = report.best else { throw ExitCode(1) }
        guard let write else { return }
        configuration.adopt(best)
        try output.write("# Written by gecko plan.\n" + configuration.toml(), to: write, as: .configuration)
        if !json {
            try Console.show(
                "\nWritten to \(write): start it on \(best.candidate.stages * best.candidate.replicas) ranks.")
        }
    }

    private var choice: PlanChoice {
        var choice = PlanChoice()
        choice.stages = stages
        choice.replicas = replicas
        choice.threads = threads
        choice.slice = slice
        choice.schedule = schedule
        choice.recompute = recompute
        return choice
    }
}
