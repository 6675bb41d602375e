import Foundation
import JSON
import Schedules

/// The costs of a model on a pipeline, as `costs.json` holds them: times in milliseconds.
///
///     {"format": "gecko-costs 1",
///      "stages": [{"forward": 18.5, "backward_input": 18.1, "backward_weight": 9.3, "unit_bytes": 52428800}],
///      "message_bytes": [1048576], "closing": [3.1], "slowness": [1, 1.4],
///      "network": {"latency": 0.05, "bandwidth": 1.25e9},
///      "shared_cores": [{"ranks": [0, 1, 2, 3], "cores": 2}],
///      "note": "measured on 4 ranks"}
///
/// Where bytes aren't known, `weight_share` may say how much of a unit its weight gradient still needs (0.4 if left
/// out, as for transformers). A stage with `backward` may leave out both of its halves: then they are unknown, and
/// tables that split backwards are refused. One stage stands for all; as many stages as ranks are cut into equal parts
/// where a rank has several stages.
public struct CostFile: Sendable, Equatable {
    /// For each stage, each rank, or one for all.
    public var stages: [StageCosts]
    /// For each boundary between stages, or one for all.
    public var messageBytes: [Int]
    /// Seconds at the end of a step, for each rank or one for all.
    public var closing: [Double]
    /// How much slower than planned each rank is: 1 is as planned.
    public var slowness: [Double]
    /// Between any two ranks.
    public var link: Link?
    /// Ranks that compete for cores.
    public var sharedCores: [SharedCores]
    /// Where the costs come from, for people; empty if nothing is known.
    public var note = ""

    /// The first word of such a file, with its version.
    public static let format = "gecko-costs 1"

    public init(
        stages: [StageCosts], messageBytes: [Int] = [], closing: [Double] = [], slowness: [Double] = [],
        link: Link? = nil, sharedCores: [SharedCores] = []
    ) {
        self.stages = stages
        self.messageBytes = messageBytes
        self.closing = closing
        self.slowness = slowness
        self.link = link
        self.sharedCores = sharedCores
    }

    /// - Throws: `SimulationError` that names the place in the file, what was expected there and what was found.
    public init(json text: String) throws {
        let root = try CostReader(text: text, name: "costs")
        let fields = try root.object(
            allowing: [
                "format", "stages", "message_bytes", "closing", "slowness", "network", "shared_cores", "note",
            ])
        let format = try fields.required("format").string()
        guard format == Self.format else {
            throw try fields.required("format").fault(
                "expected \"\(Self.format)\", found \"\(format.shown.prefix(60))\"")
        }
        stages = try fields.required("stages").array().map { try StageCosts($0) }
        guard !stages.isEmpty else {
            throw try fields.required("stages").fault("expected at least one stage, found none")
        }
        messageBytes = try fields.optional("message_bytes")?.oneOrMany { try $0.wholeNumber(Bounds.bytes) } ?? []
        closing = try fields.optional("closing")?.oneOrMany { try $0.milliseconds() } ?? []
        slowness = try fields.optional("slowness")?.oneOrMany { try $0.number(Bounds.slowness) } ?? []
        link = try fields.optional("network").map {
            let fields = try $0.object(allowing: ["latency", "bandwidth"])
            return Link(
                latency: try fields.optional("latency")?.milliseconds() ?? 0,
                bandwidth: try fields.optional("bandwidth")?.number(1...Bounds.bandwidth) ?? .infinity)
        }
        sharedCores = try fields.optional("shared_cores").map { try Self.sharedCores($0) } ?? []
        note = try fields.optional("note")?.string() ?? ""
    }

    private static func sharedCores(_ json: CostReader) throws -> [SharedCores] {
        var sharing: Set<Int> = []
        return try json.array().map {
            let fields = try $0.object(allowing: ["ranks", "cores"])
            let ranks = try fields.required("ranks").array().map { json in
                let rank = try json.wholeNumber(0...ScheduleShape.largestRanks)
                guard sharing.insert(rank).inserted else {
                    throw json.fault("rank \(rank) is named twice, and a rank has one place")
                }
                return rank
            }
            return SharedCores(
                ranks: ranks, cores: try fields.required("cores").positive(atMost: Double(Bounds.cores.upperBound)))
        }
    }

    /// The file's text, which `init(json:)` reads back to the same costs.
    public var json: String {
        func ms(_ seconds: Double) -> JSONText { .number(seconds * 1e3) }
        var members: [(String, JSONText)] = [("format", .string(Self.format))]
        members.append(
            (
                "stages",
                .array(
                    stages.map { stage -> JSONText in
                        let halves: [(String, JSONText)] = [
                            ("backward_input", ms(stage.backwardInput)), ("backward_weight", ms(stage.backwardWeight)),
                        ]
                        return .object(
                            [("forward", ms(stage.forward))] + (stage.lacksHalves ? [] : halves) + [
                                ("backward", ms(stage.backward)),
                                ("recompute", ms(stage.recompute)),
                            ]
                                + (stage.unitBytes > 0 ? [] : [("weight_share", .number(stage.weightShare))]) + [
                                    ("unit_bytes", .number(Double(stage.unitBytes))),
                                    ("weight_unit_bytes", .number(Double(stage.weightUnitBytes))),
                                    ("light_bytes", .number(Double(stage.lightBytes))),
                                    ("resident_bytes", .number(Double(stage.residentBytes))),
                                ]
                                + (stage.sequenceBytes > 0
                                    ? [("sequence_bytes", .number(Double(stage.sequenceBytes)))] : [])
                                + (stage.sliceGrowth > 0 ? [("slice_growth", .number(stage.sliceGrowth))] : [])
                                + (stage.sliceShares.map { [("slice_shares", $0.json)] } ?? []))
                    })
            ))
        if !messageBytes.isEmpty { members.append(("message_bytes", .numbers(messageBytes.map(Double.init)))) }
        if !closing.isEmpty { members.append(("closing", .array(closing.map(ms)))) }
        if !slowness.isEmpty { members.append(("slowness", .numbers(slowness))) }
        if let link {
            let bandwidth = link.bandwidth.isFinite ? [("bandwidth", JSONText.number(link.bandwidth))] : []
            members.append(("network", .object([("latency", ms(link.latency))] + bandwidth)))
        }
        if !sharedCores.isEmpty {
            members.append(
                (
                    "shared_cores",
                    .array(
                        sharedCores.map {
                            .object([
                                ("ranks", .numbers($0.ranks.map(Double.init))), ("cores", .number($0.cores)),
                            ])
                        })
                ))
        }
        if !note.isEmpty { members.append(("note", .string(note))) }
        return "{" + members.map { "\(JSONText.quoted($0.0)): \($0.1.text)" }.joined(separator: ",\n ") + "}\n"
    }

    /// The costs for `shape`: one stage stands for all, and as many stages as ranks are cut for several stages a rank.
    ///
    /// - Throws: `SimulationError` if the file has another number of stages than the shape.
    public func costs(for shape: ScheduleShape) throws -> Costs {
        func fit<T>(_ values: [T], part: (T, Double) -> T, count: Int, _ what: String) throws -> [T]? {
            if values.isEmpty { return nil }
            if values.count == count { return values }
            let parts = shape.stages / shape.ranks
            if values.count == 1 {
                return [T](repeating: part(values[0], 1 / Double(max(1, parts))), count: count)
            }
            guard shape.stages % shape.ranks == 0, values.count == shape.ranks else {
                throw SimulationError(
                    "costs: \(what): expected 1, \(shape.ranks) (a rank each) or \(count) (a stage each), found "
                        + "\(values.count); the table has \(shape.stages) stages on \(shape.ranks) ranks")
            }
            return (0..<count).map { part(values[$0 / parts], 1 / Double(parts)) }
        }
        let stages = try fit(stages, part: { $0.part($1) }, count: shape.stages, "stages")
        if let count = stages?.compactMap(\.sliceShares?.count).first(where: { $0 != shape.slices }) {
            throw SimulationError(
                "costs: slice_shares: expected \(shape.slices) (one a slice of the table), found \(count): these costs "
                    + "are of a run whose sequences were cut otherwise")
        }
        var messageBytes = messageBytes
        if messageBytes.count > 1, messageBytes.count != shape.stages - 1 {
            guard messageBytes.count == shape.ranks - 1, let largest = messageBytes.max() else {
                throw SimulationError(
                    "costs: message_bytes: expected 1 or \(shape.stages - 1) (one per boundary between stages), found "
                        + "\(messageBytes.count)")
            }
            // The boundaries of a finer cut lie inside stages; their messages are like the others.
            messageBytes = [largest]
        }
        if let cores = sharedCores.first(where: { $0.ranks.contains { $0 >= shape.ranks } }) {
            throw SimulationError("costs: shared_cores: ranks \(cores.ranks), but there are only \(shape.ranks) ranks")
        }
        var costs = try Costs(
            shape: shape, stages: stages ?? [], messageBytes: messageBytes.isEmpty ? nil : messageBytes,
            slowness: slowness.isEmpty ? nil : slowness, closing: closing.isEmpty ? nil : closing)
        costs.sharedCores = sharedCores
        return costs
    }
}

extension SliceShares {
    fileprivate init(_ json: CostReader) throws {
        let kinds = ["forward", "backward_input", "backward_weight", "backward"]
        let fields = try json.object(allowing: kinds)
        let shares = try kinds.map { kind in
            try fields.required(kind).array().map { try $0.number(0...Double(Int32.max)) }
        }
        for (kind, list) in zip(kinds, shares) where list.count != shares[0].count || list.isEmpty {
            throw try fields.required(kind).fault(
                "expected as many numbers as \"forward\" has, one a slice, found \(list.count)")
        }
        self.init(forward: shares[0], backwardInput: shares[1], backwardWeight: shares[2], backward: shares[3])
    }

    fileprivate var json: JSONText {
        .object([
            ("forward", .numbers(forward)), ("backward_input", .numbers(backwardInput)),
            ("backward_weight", .numbers(backwardWeight)), ("backward", .numbers(backward)),
        ])
    }
}

extension StageCosts {
    fileprivate init(_ json: CostReader) throws {
        let fields = try json.object(
            allowing: [
                "forward", "backward_input", "backward_weight", "backward", "recompute", "unit_bytes",
                "weight_unit_bytes", "weight_share", "light_bytes", "resident_bytes", "sequence_bytes", "slice_growth",
                "slice_shares",
            ])
        let forward = try fields.required("forward").milliseconds()
        let recompute = try fields.optional("recompute")?.milliseconds()
        let backward = try fields.optional("backward")?.milliseconds()
        if let backward, fields.optional("backward_input") == nil, fields.optional("backward_weight") == nil {
            self.init(forward: forward, fusedBackward: backward, recompute: recompute)
        } else {
            self.init(
                forward: forward, backwardInput: try fields.required("backward_input").milliseconds(),
                backwardWeight: try fields.required("backward_weight").milliseconds(), backward: backward,
                recompute: recompute)
        }
        unitBytes = try fields.optional("unit_bytes")?.wholeNumber(Bounds.bytes) ?? 0
        let share = try fields.optional("weight_share")?.share()
        weightShare = share ?? Self.transformerWeightShare
        weightUnitBytes =
            try fields.optional("weight_unit_bytes")?.wholeNumber(Bounds.bytes)
            ?? Int((Double(unitBytes) * (share ?? 1)).rounded())
        lightBytes = try fields.optional("light_bytes")?.wholeNumber(Bounds.bytes) ?? 0
        residentBytes = try fields.optional("resident_bytes")?.wholeNumber(Bounds.bytes) ?? 0
        sequenceBytes = try fields.optional("sequence_bytes")?.wholeNumber(Bounds.bytes) ?? 0
        sliceGrowth = try fields.optional("slice_growth")?.number(0...2) ?? 0
        sliceShares = try fields.optional("slice_shares").map(SliceShares.init)
    }

    /// A stage with the given share of this one's layers. What a unit keeps at a boundary isn't divided.
    fileprivate func part(_ share: Double) -> StageCosts {
        var part = self
        part.forward *= share
        part.backwardInput *= share
        part.backwardWeight *= share
        part.backward *= share
        part.recompute *= share
        part.unitBytes = Int((Double(unitBytes) * share).rounded())
        part.weightUnitBytes = Int((Double(weightUnitBytes) * share).rounded())
        part.lightBytes = lightBytes
        part.residentBytes = Int((Double(residentBytes) * share).rounded())
        part.sequenceBytes = Int((Double(sequenceBytes) * share).rounded())
        return part
    }
}
