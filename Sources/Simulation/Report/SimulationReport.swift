import Figures
import JSON
import Schedules

/// The figures of a simulated step, as a table for people and as JSON for scripts.
public struct SimulationReport: Sendable {
    /// What it tells of.
    public let simulation: Simulation
    /// What to call the schedule.
    public let name: String
    /// A remark under the head line, such as what a search found.
    public let remark: String

    /// - Parameter remark: a sentence to add
    public init(_ simulation: Simulation, name: String, remark: String = "") {
        self.simulation = simulation
        self.name = name
        self.remark = remark
    }

    /// Messages between ranks.
    public var messageCount: Int { simulation.arrows.count }
    /// Bytes of all messages.
    public var messageBytes: Int { simulation.arrows.reduce(0) { $0 + $1.bytes } }

    private var knowsBytes: Bool {
        simulation.costs.stages.contains { $0.unitBytes > 0 || $0.residentBytes > 0 }
    }

    /// Head line, a line a rank, the critical path.
    public var text: String {
        let shape = simulation.table.shape
        let units = "\(shape.sequences) sequences x \(shape.slices) slices"
        let stages = shape.virtualStages > 1 ? ", \(shape.stages) stages" : ""
        var text = "\(name): \(shape.ranks) ranks\(stages), \(units)\n"
        if !remark.isEmpty { text += remark + "\n" }
        text += "makespan \(simulation.makespan.asTime), idle \(simulation.idle.asPercentage)"
        text += ", bubble \(simulation.bubble.asPercentage)"
        if abs(simulation.idle - simulation.bubble) > 5e-4 {
            text += " of the longest rank's span (\(simulation.cost.asTime))"
        }
        text += ", \(messageCount) messages"
        if messageBytes > 0 { text += " of \(messageBytes.asBytes) in all" }
        return text + "\n\n" + rankTable + measureText + "\n" + criticalPathText
    }

    /// How peaks count units, where they don't count all alike.
    private var measureText: String {
        let table = simulation.table
        let shares = simulation.costs.stages.map(\.heldShare)
        guard table.splitsWeightGradients, !table.usesRecompute, let least = shares.min(), let most = shares.max(),
            least < 1
        else { return "" }
        let share = least == most ? most.significant : "\(least.significant) to \(most.significant)"
        return "units count 1 from forward to input gradient, \(share) from there to weight gradient (--weight-share)\n"
    }

    private var rankTable: String {
        let knowsBytes = knowsBytes
        var sent = [Int](repeating: 0, count: simulation.table.shape.ranks)
        for arrow in simulation.arrows { sent[arrow.from] += 1 }
        var table = TextTable(
            ["rank", "busy", "idle", "bubble", "peak units"] + (knowsBytes ? ["peak memory"] : []) + ["sends"])
        let (busy, idle, bubble) = (simulation.busy, simulation.idlePerRank, simulation.bubblePerRank)
        let (peakUnits, peakBytes) = (simulation.peakUnits, simulation.peakBytes)
        for rank in 0..<simulation.table.shape.ranks {
            table.add(
                [
                    "\(rank)", busy[rank].asTime, idle[rank].asPercentage, bubble[rank].asPercentage,
                    peakUnits[rank].significant,
                ] + (knowsBytes ? [peakBytes[rank].asBytes] : []) + ["\(sent[rank])"])
        }
        return table.text
    }

    private var criticalPathText: String {
        let path = simulation.criticalPath
        guard simulation.makespan > 0 else { return "critical path: none, since nothing takes time\n" }
        let kinds = ActionKind.allCases.filter { path.time($0) > 0 }.map { "\($0.title) \(path.time($0).asTime)" }
        let shares = kinds + (path.messageTime > 0 ? ["messages \(path.messageTime.asTime)"] : [])
        let stretches = path.stretches
        let shown =
            stretches.count <= 12
            ? stretches
            : Array(stretches.prefix(6)) + ["... \(stretches.count - 12) stretches more ..."] + stretches.suffix(6)
        return "critical path: " + shares.joined(separator: ", ") + ", \(path.crossings) times from rank to rank\n"
            + shown.map { "  " + $0 + "\n" }.joined()
    }

    /// One JSON object; times in milliseconds.
    public var json: String {
        let shape = simulation.table.shape
        let path = simulation.criticalPath
        let whole: [(String, JSONText)] = [
            ("schedule", .string(name)),
            ("ranks", .number(Double(shape.ranks))),
            ("stages", .number(Double(shape.stages))),
            ("sequences", .number(Double(shape.sequences))),
            ("slices", .number(Double(shape.slices))),
            ("time_unit", .string("ms")),
            ("makespan", .number(simulation.makespan * 1e3)),
            ("longest_span", .number(simulation.cost * 1e3)),
            ("idle", .number(simulation.idle)),
            ("bubble", .number(simulation.bubble)),
            ("bubble_per_rank", .numbers(simulation.bubblePerRank)),
            ("idle_per_rank", .numbers(simulation.idlePerRank)),
            ("busy_per_rank", .numbers(simulation.busy.map { $0 * 1e3 })),
            ("peak_units", .numbers(simulation.peakUnits)),
            ("weight_share", .numbers(simulation.costs.stages.map(\.heldShare))),
            ("peak_bytes", knowsBytes ? .numbers(simulation.peakBytes.map(Double.init)) : .null),
            ("messages", .number(Double(messageCount))),
            ("message_bytes", .number(Double(messageBytes))),
            ("critical_path_ms", .number((path.steps.last?.end ?? 0) * 1e3)),
            ("critical_path", .strings(path.steps.map { "\($0.action)" })),
            ("remark", .string(remark)),
        ]
        return JSONText.object(whole).text + "\n"
    }

    /// A schedule's line in a comparison: all that stays of its simulation.
    public struct Line: Sendable {
        let name: String
        let makespan: Double
        let idle: Double
        let bubble: Double
        let peakUnits: Double
        let peakBytes: Int?
        let messages: Int
    }

    /// One row of a table of schedules.
    public var line: Line {
        Line(
            name: name, makespan: simulation.makespan, idle: simulation.idle, bubble: simulation.bubble,
            peakUnits: simulation.peakUnits.max() ?? 0, peakBytes: knowsBytes ? simulation.peakBytes.max() : nil,
            messages: messageCount)
    }

    /// Several schedules side by side, the shortest first.
    public static func comparison(_ lines: [Line]) -> String {
        let sorted = lines.sorted { $0.makespan < $1.makespan }
        guard let best = sorted.first?.makespan else { return "" }
        let showsBytes = sorted.contains { $0.peakBytes != nil }
        var table = TextTable(
            ["schedule", "makespan", "to best", "idle", "bubble", "peak units"] + (showsBytes ? ["peak memory"] : [])
                + ["messages"])
        for line in sorted {
            table.add(
                [
                    line.name, line.makespan.asTime, best > 0 ? "+" + (line.makespan / best - 1).asPercentage : "-",
                    line.idle.asPercentage, line.bubble.asPercentage, line.peakUnits.significant,
                ] + (showsBytes ? [(line.peakBytes ?? 0).asBytes] : []) + ["\(line.messages)"])
        }
        return table.text + "idle: of the whole step; bubble: of the longest rank's span, as papers count it\n"
    }
}
