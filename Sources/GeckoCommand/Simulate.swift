import ArgumentParser
import Figures
import Files
import Foundation
import Schedules
import Simulation
import Training

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Predict a pipeline step: time, idle ranks, memory, messages, critical path.",
        discussion: """
            gecko simulate --stages 4 --sequences 8 --slices 2 --compare all
            gecko simulate run.toml --compare all                      # the shape, schedule and cap of a run, and its \
            costs
            gecko simulate run.toml --stages 8 --schedule zb-h1        # what would change

            Makes a schedule, or reads one from a file, and runs it under given costs, each action as early as its \
            rank and its inputs \
            allow. The training runs the same table.

            Schedules: \(ScheduleRegistry.all.map { "\($0.name) (\($0.summary))" }.joined(separator: "; ")); auto (a \
            search for the \
            shortest order under --cap, with one stage a rank or --virtual). Anything else is taken for a schedule \
            file, such as --save writes.

            RUN is a configuration as gecko train takes it, or a run's folder. What is no option comes from there: \
            stages, sequences (batch / \
            replicas), slices (sequence / slice), schedule, virtual, cap, recompute; and costs from the run's folder, \
            from gecko profile \
            beside the configuration, or from pipeline.costs. What the model's layers don't allow is refused, as gecko \
            train would.

            Without costs every rank takes --forward, --backward-input and --backward-weight milliseconds for a unit \
            (a slice of a \
            sequence) through all its layers, whatever the number of its stages: 1 each, if not given.

            Idle is the share of the whole step in which ranks don't compute; bubble is that share of the longest \
            rank's span, as papers count it.
            """)

    @Argument(help: ArgumentHelp("A run's configuration or folder.", valueName: "run"))
    var configurationFile: String?

    @Option(help: "Ranks that a replica's layers are partitioned over; 4 where nothing says it.")
    var stages: Int?

    @Option(help: "Stages a rank holds, for interleaved and auto.")
    var virtual: Int?

    @Option(help: "Sequences per step and replica; 8 where nothing says it.")
    var sequences: Int?

    @Option(help: "Slices per sequence; 1 where nothing says it.")
    var slices: Int?

    @Option(help: "A schedule's name or file; 1f1b where nothing says it.")
    var schedule: String?

    @Option(help: "Compare these schedules instead, separated by commas, or 'all'.")
    var compare: String?

    @Flag(help: "Recompute activations before each backward.")
    var recompute = false

    @OptionGroup(title: "Costs") var costs: CostOptions
    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(
        help: ArgumentHelp(
            """
            Lay the prediction for this run beside its trace: schedule.txt, costs.json and trace.json in its \
            directory.
            """,
            valueName: "run"))
    var against: String?

    @Option(
        help: """
            Most that a rank may hold: units such as 12, 2x for twice what 1f1b holds, or bytes such as 4GiB. A unit \
            counts 1 until its \
            input gradient and --weight-share from there to its weight gradient; peak units count alike.
            """)
    var cap: String?

    @Flag(help: "Print one JSON object (an array with --compare); times in milliseconds.")
    var json = false

    @Option(help: "Write the timeline as a picture to this file.", transform: pathOption)
    var svg: String?

    @Flag(help: "Draw messages in the picture.")
    var messages = false

    @Option(help: "Write the timeline as a Perfetto trace to this file.", transform: pathOption)
    var trace: String?

    @Option(help: "Write the schedule's table to this file.", transform: pathOption)
    var save: String?

    @OptionGroup var output: OutputOptions

    @Flag(inversion: .prefixedNo, help: "Draw the timeline in the terminal; it is drawn if nothing is said.")
    var draw: Bool?

    @Option(help: "Width of the drawing in the terminal, at least 40; the terminal's if not given.")
    var columns: Int?

    func validate() throws {
        try OptionBounds.check("--stages", stages, atLeast: 1, atMost: ScheduleShape.largestRanks)
        try OptionBounds.check("--virtual", virtual, atLeast: 1, atMost: ScheduleShape.largestRanks)
        try OptionBounds.check("--sequences", sequences, atLeast: 1)
        try OptionBounds.check("--slices", slices, atLeast: 1)
        try OptionBounds.check("--columns", columns, atLeast: 40, atMost: 10_000)
        try checkCombinations()
    }

    func run() throws {
        if let against {
            try lay(besideTraceOf: against)
            return
        }
        try output.check(svg, as: .picture)
        try output.check(trace, as: .trace)
        try output.check(save, as: .schedule)
        let step = try SimulatedStep(self)
        if !json { try step.remarks.forEach { try Console.show($0) } }
        try compare == nil ? show(step) : showComparison(step)
    }

    /// The prediction for a run's own table and costs beside what the run recorded.
    private func lay(besideTraceOf directory: String) throws {
        func text(_ name: String) throws -> String {
            do {
                return try TextFile.read(directory + "/" + name, expected: "what a run leaves")
            } catch {
                throw ValidationError("--against: cannot read \(directory)/\(name): \(error)")
            }
        }
        let table: ScheduleTable
        do {
            table = try ScheduleTable(text: text("schedule.txt"))
            try table.validate()
        } catch let error as ScheduleError {
            throw ValidationError("\(directory)/schedule.txt: \(error)")
        }
        try Bounds.check(actions: Double(table.actionCount))
        let file = try costs.file(ranks: table.shape.ranks, path: directory + "/costs.json")
        let simulation = try Simulation(
            table, costs: file.costs(for: table.shape),
            network: network.network(ranks: table.shape.ranks, link: file.link, message: costs.message))
        var recorded: Timeline
        do {
            recorded = try PerfettoTrace.timeline(json: text("trace.json"))
        } catch let error as SimulationError {
            throw ValidationError("\(directory)/trace.json: \(error)")
        }
        let ranks = table.shape.ranks
        if recorded.ranks > ranks, recorded.ranks % ranks == 0 {
            // Replicas run the same table; the first stands for all.
            recorded = recorded.replica(0, ranks: ranks)
        }
        let comparison = try StepComparison(simulation, recorded: recorded)
        try Console.show(json ? comparison.json : comparison.text, terminator: "")
    }

    private func show(_ step: SimulatedStep) throws {
        let choice = try step.choose(step.names[0])
        let simulation = choice.simulation
        try checkDrawable(simulation)
        let report = SimulationReport(
            simulation, name: choice.name, remark: choice.remark + (step.autoRemark.map { "; " + $0 } ?? ""))
        let draws = draw ?? !json
        try Console.show(json ? report.json : report.text, terminator: json ? "" : "\n")
        tellIdleOptions([StepUse(simulation)])
        if let save { try output.write(simulation.table.text, to: save, as: .schedule) }
        guard draws || svg != nil || trace != nil else { return }
        let timeline = simulation.timeline(title: choice.name)
        if draws {
            let isTerminal = isatty(STDOUT_FILENO) != 0
            try Console.show(TerminalDrawing(timeline, columns: width, colours: isTerminal).text, terminator: "")
        }
        if let svg {
            let subtitle =
                "makespan \(simulation.makespan.asTime), idle \(simulation.idle.asPercentage), at most "
                + "\((simulation.peakUnits.max() ?? 0).significant) units held"
            try output.write(
                TimelineSVG(timeline, subtitle: subtitle, showsMessages: messages).text, to: svg, as: .picture)
        }
        if let trace { try output.write(PerfettoTrace(timeline).text, to: trace, as: .trace) }
    }

    private func showComparison(_ step: SimulatedStep) throws {
        var lines: [SimulationReport.Line] = []
        var objects: [String] = []
        var uses: [StepUse] = []
        for name in step.names {
            do {
                let choice = try step.choose(name)
                let report = SimulationReport(choice.simulation, name: choice.name, remark: choice.remark)
                uses.append(StepUse(choice.simulation))
                if json {
                    objects.append(report.json.trimmingCharacters(in: .newlines))
                } else {
                    lines.append(report.line)
                }
            } catch let error where compare == "all" && !(error is OutputError) {
                // Among all schedules some don't exist for a shape or don't keep a cap; the others are still worth
                // comparing.
                if !json { try Console.show("\(name): left out: \(error)") }
            }
        }
        guard !uses.isEmpty else { throw ValidationError("no schedule is left to compare") }
        try Console.show(
            json ? "[" + objects.joined(separator: ",\n ") + "]\n" : SimulationReport.comparison(lines), terminator: "")
        if !json, let remark = step.autoRemark { try Console.show("auto: \(remark)") }
        tellIdleOptions(uses)
    }

    private var width: Int {
        if let columns { return columns }
        var size = winsize()
        let known = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return known ? Int(size.ws_col) : 110
    }
}
