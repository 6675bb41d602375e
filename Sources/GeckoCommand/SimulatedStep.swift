import ArgumentParser
import Files
import Foundation
import Schedules
import Simulation
import Training

/// The step that `gecko simulate` was asked for: options over a run's configuration over the shape of a schedule file
/// over defaults.
struct SimulatedStep {
    /// Schedules by name or file.
    let names: [String]
    /// What is to be said before the figures.
    private(set) var remarks: [String] = []
    private let request: ScheduleChoice.Request
    /// Tables of files, by their path.
    private let tables: [String: ScheduleTable]
    /// Layers of the model, if it is known.
    private let layers: Int?

    init(_ options: Simulate) throws {
        let run = try options.configurationFile.map { try RunConfiguration.step(of: $0, ranks: options.stages) }
        names =
            options.compare.map { text in
                text == "all"
                    ? ScheduleChoice.names
                    : text.split(separator: ",", omittingEmptySubsequences: false).map {
                        $0.trimmingCharacters(in: .whitespaces)
                    }
            } ?? [options.schedule ?? run?.schedule ?? "1f1b"]
        tables = try Self.tables(names)
        let table = names.lazy.compactMap { [tables] in tables[$0] }.first
        let schedule = ScheduleRequest(
            ranks: options.stages ?? run?.ranks ?? table?.shape.ranks ?? 4,
            virtualStages: options.virtual ?? run?.virtualStages,
            sequences: options.sequences ?? run?.sequences ?? table?.shape.sequences ?? 8,
            slices: options.slices ?? run?.slices ?? table?.shape.slices ?? 1)
        for (name, table) in tables {
            try Self.check(table, named: name, schedule, virtualIsGiven: options.virtual != nil)
        }
        layers = run?.layers
        let costs = try Self.costs(options, run, schedule, &remarks)
        request = try ScheduleChoice.Request(
            schedule: schedule, costs: costs,
            network: options.network.network(ranks: schedule.ranks, link: costs.link, message: options.costs.message),
            cap: (options.cap ?? run?.cap).map { try MemoryCap(text: $0) },
            recompute: options.recompute || run?.recompute ?? false)
        if let run, let path = options.configurationFile {
            let open = run.leavesRanksOpen ? " (the configuration leaves them to the launcher: --stages)" : ""
            remarks.insert(
                """
                \(path): \(schedule.ranks) stages\(open), \(schedule.sequences) sequences of \(schedule.slices) \
                slices, \(run.layers) layers
                """,
                at: 0)
        }
    }

    /// The tables of those names that are files.
    private static func tables(_ names: [String]) throws -> [String: ScheduleTable] {
        var tables: [String: ScheduleTable] = [:]
        for name in names
        where !ScheduleChoice.names.contains(name) && FileManager.default.fileExists(atPath: name) {
            let text: String
            do {
                text = try TextFile.read(name, expected: "a text file such as --save writes")
            } catch {
                throw ValidationError(
                    "\(name) cannot be read as a schedule: expected a text file such as --save writes: \(error)")
            }
            do { tables[name] = try ScheduleTable(text: text) } catch { throw ValidationError("\(name): \(error)") }
        }
        return tables
    }

    /// Refuses a file of another shape than what was asked for.
    private static func check(
        _ table: ScheduleTable, named name: String, _ schedule: ScheduleRequest, virtualIsGiven: Bool
    ) throws {
        let shape = table.shape
        for (option, value, found) in [
            ("--stages", schedule.ranks, shape.ranks), ("--sequences", schedule.sequences, shape.sequences),
            ("--slices", schedule.slices, shape.slices),
            ("--virtual", virtualIsGiven ? schedule.virtualStages ?? 1 : shape.virtualStages, shape.virtualStages),
        ] where value != found {
            throw ValidationError(
                "\(option): \(name) is a schedule for \(shape.ranks) stages (ranks) with \(shape.virtualStages) each, "
                    + "\(shape.sequences) "
                    + "sequences and \(shape.slices) slices, but \(value) was asked for: expected \(found), or leave "
                    + "it out"
            )
        }
    }

    private static func costs(
        _ options: Simulate, _ run: RunConfiguration.Step?, _ schedule: ScheduleRequest, _ remarks: inout [String]
    ) throws -> CostFile {
        guard let run else { return try options.costs.file(ranks: schedule.ranks) }
        var costs = try options.costs.file(ranks: schedule.ranks, path: run.costs)
        if let path = run.costs, options.costs.costs == nil {
            let stages = costs.stages.count
            if run.slices != schedule.slices {
                remarks.append("\(path) is not used: its units are slices of another length; --costs takes other costs")
                costs = try options.costs.file(ranks: schedule.ranks)
            } else if stages > 1, stages % schedule.ranks != 0 {
                remarks.append("\(path) is not used: it has \(stages) stages; --costs takes other costs")
                costs = try options.costs.file(ranks: schedule.ranks)
            } else {
                remarks.append("costs of \(path)")
            }
        }
        // Training keeps a unit whole until its weight gradient.
        if options.costs.weightShare == nil {
            for stage in costs.stages.indices { costs.stages[stage].weightShare = 1 }
        }
        return costs
    }

    /// What the search for an order leaves out, if it is asked for and the model has the layers for it.
    var autoRemark: String? {
        let (schedule, name) = (request.schedule, AutoSchedule.name)
        guard names.contains(name), schedule.virtualStages == nil, schedule.ranks > 1,
            layers.map({ $0 >= 2 * schedule.ranks }) ?? true
        else { return nil }
        return "one stage a rank (--virtual 2 tries two, as interleaved and zbv have)"
    }

    /// A schedule by name, or the table of a file.
    func choose(_ name: String) throws -> ScheduleChoice {
        let choice: ScheduleChoice
        if let table = tables[name] {
            do { choice = try ScheduleChoice(table: table, request) } catch let error as ScheduleError {
                throw ValidationError("\(name): \(error)")
            }
        } else {
            choice = try ScheduleChoice(named: name, request)
        }
        let stages = choice.simulation.table.shape.stages
        if let layers, stages > layers {
            throw ValidationError(
                "\(name) has \(stages) stages, but the model has \(layers) layers, and each stage needs one")
        }
        return choice
    }
}
