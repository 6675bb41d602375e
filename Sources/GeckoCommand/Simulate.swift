import ArgumentParser
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

    @Option(help: "Most that a rank may hold: units such as 12, or bytes such as 4GiB.")
    var cap: String?

    @Option(help: "Share of a unit that its weight gradient still needs, for a cap in units (0 to 1).")
    var weightShare = 1.0

    @Flag(help: "Print one JSON object (an array with --compare); times in milliseconds.")
    var json = false

    @Option(help: "Write the timeline as a picture to this file.")
    var svg: String?

    @Flag(help: "Draw messages in the picture.")
    var messages = false

    @Option(help: "Write the timeline as a Perfetto trace to this file.")
    var trace: String?

    @Option(help: "Write the schedule's table to this file.")
    var save: String?

    @Flag(inversion: .prefixedNo, help: "Draw the timeline in the terminal.")
    var draw = true

    @Option(help: "Width of the drawing in the terminal; 0 takes the terminal's.")
    var columns = 0

    func validate() throws {
        guard weightShare >= 0, weightShare <= 1 else {
            throw ValidationError("--weight-share: expected a share from 0 to 1, found \(weightShare)")
        }
    }

    func run() throws {
        if let against {
            try compare(with: against)
            return
        }
        let request = try ScheduleChoice.Request(
            schedule: ScheduleRequest(
                ranks: stages, virtualStages: virtual, sequences: sequences, slices: slices),
            costs: costs.file(ranks: stages), network: network.network(ranks: stages, fallback: costs),
            cap: cap.map { try MemoryCap(text: $0) }, weightShare: weightShare, recompute: recompute)
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
        let comparison = try StepComparison(
            simulation, recorded: PerfettoTrace.timeline(json: text("trace.json")))
        print(json ? comparison.json : comparison.text, terminator: "")
    }

    /// A schedule by name, or the table in a file of that path.
    private func choose(_ name: String, _ request: ScheduleChoice.Request) throws -> ScheduleChoice {
        guard !ScheduleChoice.names.contains(name), FileManager.default.fileExists(atPath: name) else {
            return try ScheduleChoice(named: name, request)
        }
        do {
            return try ScheduleChoice(
                table: ScheduleTable(text: String(contentsOfFile: name, encoding: .utf8)), request)
        } catch let error as ScheduleError {
            throw ValidationError("\(name): \(error)")
        }
    }

    private func show(_ choice: ScheduleChoice) throws {
        let report = SimulationReport(choice.simulation, name: choice.name, remark: choice.remark)
        let timeline = choice.simulation.timeline(title: choice.name)
        if json {
            print(report.json, terminator: "")
        } else {
            print(report.text)
            if draw {
                let isTerminal = isatty(STDOUT_FILENO) != 0
                print(TerminalDrawing(timeline, columns: width, colours: isTerminal).text, terminator: "")
            }
        }
        let simulation = choice.simulation
        if let svg {
            let subtitle =
                "makespan \(Figures.time(simulation.makespan)), bubble \(Figures.percentage(simulation.bubble)), at most "
                + "\(Figures.number(simulation.peakUnits.max() ?? 0)) units held"
            try write(TimelineSVG(timeline, subtitle: subtitle, showsMessages: messages).text, to: svg)
        }
        if let trace { try write(PerfettoTrace(timeline).text, to: trace) }
        if let save { try write(simulation.table.text, to: save) }
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
                if !json { print("\(name): left out: \(error)") }
            }
        }
        if json {
            print("[" + reports.map { $0.json.trimmingCharacters(in: .newlines) }.joined(separator: ",\n ") + "]")
        } else {
            print(SimulationReport.comparison(reports), terminator: "")
        }
    }

    private var width: Int {
        if columns > 0 { return columns }
        var size = winsize()
        let known = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return known ? Int(size.ws_col) : 110
    }

    private func write(_ text: String, to path: String) throws {
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw ValidationError("cannot write \(path): \(error.localizedDescription)")
        }
    }
}

/// What a unit takes, from a file or the same for every rank.
struct CostOptions: ParsableArguments {
    @Option(help: "File of costs, such as gecko profile writes.")
    var costs: String?

    @Option(help: "Milliseconds of a unit's forward on a rank.")
    var forward: Double?

    @Option(help: "Milliseconds of a unit's input gradient on a rank.")
    var backwardInput: Double?

    @Option(help: "Milliseconds of a unit's weight gradient on a rank.")
    var backwardWeight: Double?

    @Option(help: "Milliseconds of a unit's whole backward on a rank; the sum of both gradients if not given.")
    var backward: Double?

    @Option(help: "Milliseconds of recomputing a unit on a rank; the forward's if not given.")
    var recomputeTime: Double?

    @Option(help: "Milliseconds that a message is under way between two ranks.")
    var message: Double?

    @Option(help: "Bytes of a message, such as 4MiB.")
    var messageBytes: String?

    @Option(help: "Bytes that a rank keeps of a unit, such as 64MiB.")
    var unitBytes: String?

    @Option(help: "A rank that is slower than the others, as RANK:FACTOR such as 3:1.4; may be repeated.")
    var slow: [String] = []

    func file(ranks: Int) throws -> CostFile {
        var file: CostFile
        if let costs {
            guard let text = try? String(contentsOfFile: costs, encoding: .utf8) else {
                throw ValidationError("--costs: cannot read \(costs)")
            }
            do { file = try CostFile(json: text) } catch { throw ValidationError("\(costs): \(error)") }
        } else {
            file = CostFile(stages: [StageCosts(forward: 1e-3, backwardInput: 1e-3, backwardWeight: 1e-3)])
        }
        for index in file.stages.indices {
            let old = file.stages[index]
            let input = backwardInput.map { $0 / 1e3 } ?? old.backwardInput
            let weight = backwardWeight.map { $0 / 1e3 } ?? old.backwardWeight
            // A file's fused backward no longer holds once one of its halves is given anew.
            let halves = backwardInput != nil || backwardWeight != nil
            file.stages[index].forward = forward.map { $0 / 1e3 } ?? old.forward
            file.stages[index].backwardInput = input
            file.stages[index].backwardWeight = weight
            file.stages[index].backward =
                backward.map { $0 / 1e3 } ?? (halves || costs == nil ? input + weight : old.backward)
            file.stages[index].recompute =
                recomputeTime.map { $0 / 1e3 } ?? (costs == nil ? file.stages[index].forward : old.recompute)
            if let unitBytes {
                let bytes = try parsed(unitBytes, "--unit-bytes")
                file.stages[index].unitBytes = bytes
                file.stages[index].weightUnitBytes = bytes
            }
        }
        if let messageBytes { file.messageBytes = [try parsed(messageBytes, "--message-bytes")] }
        if !slow.isEmpty { file.slowness = try slowness(ranks: ranks, base: file.slowness) }
        return file
    }

    private func parsed(_ text: String, _ option: String) throws -> Int {
        guard let bytes = Quantity.bytes(text), bytes < 9e15 else {
            throw ValidationError("\(option): expected bytes such as 64MiB, found '\(text)'")
        }
        return Int(bytes)
    }

    private func slowness(ranks: Int, base: [Double]) throws -> [Double] {
        var slowness = base.count == ranks ? base : [Double](repeating: base.first ?? 1, count: max(0, ranks))
        for entry in slow {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let rank = Int(parts[0]), slowness.indices.contains(rank),
                let factor = Double(parts[1]), factor > 0, factor.isFinite
            else {
                throw ValidationError(
                    "--slow: expected RANK:FACTOR such as 3:1.4 with a rank in 0..<\(ranks), found '\(entry)'")
            }
            slowness[rank] *= factor
        }
        return slowness
    }
}

/// Links between ranks.
struct NetworkOptions: ParsableArguments {
    @Option(help: "Link between nodes as latency,bandwidth such as 50us,1gbit.")
    var network: String?

    @Option(help: "Link between ranks of one node as latency,bandwidth.")
    var localNetwork: String?

    @Option(help: "Node of every rank, separated by commas, such as 0,0,1,1; each rank has its own if not given.")
    var nodes: String?

    @Option(help: "A link that differs, as NODE-NODE:latency,bandwidth, both ways; may be repeated.")
    var link: [String] = []

    func network(ranks: Int, fallback costs: CostOptions) throws -> Network {
        let file = try costs.file(ranks: ranks).link
        var between = try network.map { try Link(text: $0) } ?? file ?? Link(latency: 0)
        var within = try localNetwork.map { try Link(text: $0) } ?? Link(latency: 0)
        if let message = costs.message {
            guard message >= 0, message.isFinite else {
                throw ValidationError("--message: expected at least 0 milliseconds, found \(message)")
            }
            between.latency += message / 1e3
            within.latency += message / 1e3
        }
        var result = Network(withinNode: within, betweenNodes: between)
        if let nodes {
            let list = nodes.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard list.count == ranks, list.allSatisfy({ ($0 ?? -1) >= 0 }) else {
                throw ValidationError("--nodes: expected \(ranks) node numbers separated by commas, found '\(nodes)'")
            }
            result.nodes = list.compactMap(\.self)
        }
        for entry in link {
            let parts = entry.split(separator: ":", maxSplits: 1)
            let ends = parts.first?.split(separator: "-").map { Int($0) } ?? []
            guard parts.count == 2, ends.count == 2, let a = ends[0], let b = ends[1] else {
                throw ValidationError("--link: expected NODE-NODE:latency,bandwidth, found '\(entry)'")
            }
            let exception = try Link(text: String(parts[1]))
            result.exceptions[.init(from: a, to: b)] = exception
            result.exceptions[.init(from: b, to: a)] = exception
        }
        return result
    }
}
