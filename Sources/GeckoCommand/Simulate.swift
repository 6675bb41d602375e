import ArgumentParser
import Files
import Foundation
import Schedules
import Simulation

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Predict a pipeline step: time, bubbles, memory, messages, critical path.",
        discussion: """
            Makes a schedule, or reads one from a file, and runs it under given costs, each action as early as its rank and its inputs \
            allow. The training runs the same table.

            Schedules: \(ScheduleRegistry.all.map { "\($0.name) (\($0.summary))" }.joined(separator: "; ")); auto (a search for the \
            shortest order under --cap). Anything else is taken for a schedule file, such as --save writes.

            Without --costs every rank takes --forward, --backward-input and --backward-weight milliseconds for a unit (a slice of a \
            sequence) through all its layers, whatever the number of its stages.
            """)

    @Option(help: "Ranks that a replica's layers are partitioned over.")
    var stages = 4

    @Option(help: "Stages a rank holds, for interleaved and auto.")
    var virtual: Int?

    @Option(help: "Sequences per step and replica.")
    var sequences = 8

    @Option(help: "Slices per sequence.")
    var slices = 1

    @Option(help: "A schedule's name or file.")
    var schedule = "1f1b"

    @Option(help: "Compare these schedules instead, separated by commas, or 'all'.")
    var compare: String?

    @Flag(help: "Recompute activations before each backward.")
    var recompute = false

    @OptionGroup(title: "Costs") var costs: CostOptions
    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(
        help: ArgumentHelp(
            "Lay the prediction for this run beside its trace: schedule.txt, costs.json and trace.json in its directory.",
            valueName: "run"))
    var against: String?

    @Option(
        help: """
            Most that a rank may hold: units such as 12, 2x for twice what 1f1b holds, or bytes such as 4GiB. A unit counts 1 until its \
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

    @Flag(inversion: .prefixedNo, help: "Draw the timeline in the terminal.")
    var draw = true

    @Option(help: "Width of the drawing in the terminal; 0 takes the terminal's.")
    var columns = 0

    func run() throws {
        if let against {
            try compare(with: against)
            return
        }
        try output.check(svg, as: .picture)
        try output.check(trace, as: .trace)
        try output.check(save, as: .schedule)
        let request = try ScheduleChoice.Request(
            schedule: ScheduleRequest(
                ranks: stages, virtualStages: virtual, sequences: sequences, slices: slices),
            costs: costs.file(ranks: stages), network: network.network(ranks: stages, fallback: costs),
            cap: cap.map { try MemoryCap(text: $0) }, recompute: recompute)
        if let compare {
            try runComparison(compare, request)
        } else {
            try show(choose(schedule, request))
        }
    }

    /// The prediction for a run's own table and costs beside what the run recorded.
    private func compare(with directory: String) throws {
        func text(_ name: String) throws -> String {
            let path = directory + "/" + name
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw ValidationError("--against: cannot read \(path)")
            }
            return text
        }
        let table: ScheduleTable
        do {
            table = try ScheduleTable(text: text("schedule.txt"))
            try table.validate()
        } catch let error as ScheduleError {
            throw ValidationError("\(directory)/schedule.txt: \(error)")
        }
        var options = costs
        if options.costs == nil { options.costs = directory + "/costs.json" }
        let file = try options.file(ranks: table.shape.ranks)
        let simulation = try Simulation(
            table, costs: file.costs(for: table.shape),
            network: network.network(ranks: table.shape.ranks, fallback: options))
        var recorded = try PerfettoTrace.timeline(json: text("trace.json"))
        let ranks = table.shape.ranks
        if recorded.ranks > ranks, recorded.ranks % ranks == 0 {
            // Replicas run the same table; the first stands for all.
            recorded = recorded.replica(0, ranks: ranks)
        }
        let comparison = try StepComparison(simulation, recorded: recorded)
        try Console.show(json ? comparison.json : comparison.text, terminator: "")
    }

    /// A schedule by name, or the table in a file of that path.
    private func choose(_ name: String, _ request: ScheduleChoice.Request) throws -> ScheduleChoice {
        guard !ScheduleChoice.names.contains(name), FileManager.default.fileExists(atPath: name) else {
            return try ScheduleChoice(named: name, request)
        }
        guard let text = try? String(contentsOfFile: name, encoding: .utf8) else {
            throw ValidationError("\(name) cannot be read as a schedule: expected a text file such as --save writes")
        }
        do {
            return try ScheduleChoice(table: ScheduleTable(text: text), request)
        } catch let error as ScheduleError {
            throw ValidationError("\(name): \(error)")
        }
    }

    private func show(_ choice: ScheduleChoice) throws {
        let report = SimulationReport(choice.simulation, name: choice.name, remark: choice.remark)
        let timeline = choice.simulation.timeline(title: choice.name)
        if json {
            try Console.show(report.json, terminator: "")
        } else {
            try Console.show(report.text)
            if draw {
                let isTerminal = isatty(STDOUT_FILENO) != 0
                try Console.show(TerminalDrawing(timeline, columns: width, colours: isTerminal).text, terminator: "")
            }
        }
        let simulation = choice.simulation
        if let svg {
            let subtitle =
                "makespan \(Figures.time(simulation.makespan)), bubble \(Figures.percentage(simulation.bubble)), at most "
                + "\(Figures.number(simulation.peakUnits.max() ?? 0)) units held"
            try output.write(
                TimelineSVG(timeline, subtitle: subtitle, showsMessages: messages).text, to: svg, as: .picture)
        }
        if let trace { try output.write(PerfettoTrace(timeline).text, to: trace, as: .trace) }
        if let save { try output.write(simulation.table.text, to: save, as: .schedule) }
    }

    private func runComparison(_ names: String, _ request: ScheduleChoice.Request) throws {
        let all = names == "all"
        let list = all ? ScheduleChoice.names : names.split(separator: ",").map(String.init)
        var reports: [SimulationReport] = []
        for name in list {
            do {
                let choice = try choose(name, request)
                reports.append(SimulationReport(choice.simulation, name: choice.name, remark: choice.remark))
            } catch let error where all {
                // Among all schedules some don't exist for a shape or don't keep a cap; the others are still worth comparing.
                if !json { try Console.show("\(name): left out: \(error)") }
            }
        }
        if json {
            try Console.show(
                "[" + reports.map { $0.json.trimmingCharacters(in: .newlines) }.joined(separator: ",\n ") + "]")
        } else {
            try Console.show(SimulationReport.comparison(reports), terminator: "")
        }
    }

    private var width: Int {
        if columns > 0 { return columns }
        var size = winsize()
        let known = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return known ? Int(size.ws_col) : 110
    }
}
