import ArgumentParser
import Files
import Foundation
import Schedules
import Simulation

/// What a unit takes, from a file or the same for every rank.
struct CostOptions: ParsableArguments {
    @Option(help: "File of costs, such as gecko profile writes.", transform: pathOption)
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

    @Option(
        help: ArgumentHelp(
            """
            Share of a unit that is held from its input gradient to its weight gradient, for caps and peaks (0 to 1); \
            0.4, as of the \
            zero-bubble paper's transformers, where costs hold no bytes.
            """, valueName: "share"))
    var weightShare: Double?

    @Option(help: "A rank that is slower than the others, as RANK:FACTOR such as 3:1.4; may be repeated.")
    var slow: [String] = []

    private var times: [(option: String, value: Double?)] {
        [
            ("--forward", forward), ("--backward-input", backwardInput), ("--backward-weight", backwardWeight),
            ("--backward", backward), ("--recompute-time", recomputeTime), ("--message", message),
        ]
    }

    func validate() throws {
        for (option, value) in times { try OptionBounds.check(option, milliseconds: value) }
        try OptionBounds.check("--weight-share", share: weightShare)
        if let messageBytes { _ = try parsed(messageBytes, "--message-bytes") }
        if let unitBytes { _ = try parsed(unitBytes, "--unit-bytes") }
    }

    /// The costs of a file, of options over them, or equal ones.
    ///
    /// - Parameter path: of the file, where no option says it
    func file(ranks: Int, path: String? = nil) throws -> CostFile {
        let path = costs ?? path
        var file = CostFile(stages: [StageCosts(forward: 1e-3, backwardInput: 1e-3, backwardWeight: 1e-3)])
        if let path { file = try Self.read(path) }
        for index in file.stages.indices {
            let old = file.stages[index]
            let input = backwardInput.map { $0 / 1e3 } ?? old.backwardInput
            let weight = backwardWeight.map { $0 / 1e3 } ?? old.backwardWeight
            // A file's fused backward no longer holds once one of its halves is given anew.
            let halves = backwardInput != nil || backwardWeight != nil
            if backwardInput != nil, backwardWeight != nil { file.stages[index].lacksHalves = false }
            file.stages[index].forward = forward.map { $0 / 1e3 } ?? old.forward
            file.stages[index].backwardInput = input
            file.stages[index].backwardWeight = weight
            file.stages[index].backward =
                backward.map { $0 / 1e3 } ?? (halves || path == nil ? input + weight : old.backward)
            file.stages[index].recompute =
                recomputeTime.map { $0 / 1e3 } ?? (path == nil ? file.stages[index].forward : old.recompute)
            let share = weightShare ?? old.heldShare
            if let unitBytes { file.stages[index].unitBytes = try parsed(unitBytes, "--unit-bytes") }
            if unitBytes != nil || weightShare != nil {
                let bytes = Double(file.stages[index].unitBytes)
                file.stages[index].weightShare = share
                file.stages[index].weightUnitBytes = Int((bytes * share).rounded())
            }
        }
        if let messageBytes { file.messageBytes = [try parsed(messageBytes, "--message-bytes")] }
        if !slow.isEmpty { file.slowness = try slowness(ranks: ranks, base: file.slowness) }
        return file
    }

    private static func read(_ path: String) throws -> CostFile {
        let text: String
        do {
            text = try TextFile.read(path, expected: "costs, such as gecko profile writes")
        } catch {
            throw ValidationError("--costs: cannot read \(path): \(error)")
        }
        do { return try CostFile(json: text) } catch { throw ValidationError("\(path): \(error)") }
    }

    private func parsed(_ text: String, _ option: String) throws -> Int {
        guard let bytes = Quantity.bytesOrCount(text), bytes <= Double(Bounds.bytes.upperBound) else {
            throw ValidationError("\(option): expected bytes such as 64MiB, from 0 to 1PiB, found '\(text.shown)'")
        }
        return Int(bytes)
    }

    private func slowness(ranks: Int, base: [Double]) throws -> [Double] {
        var slowness = base.count == ranks ? base : [Double](repeating: base.first ?? 1, count: ranks)
        var named: Set<Int> = []
        for entry in slow {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
            let bounds = Bounds.slowness
            guard parts.count == 2, let rank = Int(parts[0]), slowness.indices.contains(rank),
                let factor = Double(parts[1]), bounds.contains(factor)
            else {
                throw ValidationError(
                    "--slow: expected RANK:FACTOR such as 3:1.4 with a rank in 0..<\(ranks) and a factor from "
                        + "\(bounds.lowerBound.asWritten) to \(bounds.upperBound.asWritten), found '\(entry.shown)'")
            }
            guard named.insert(rank).inserted else {
                throw ValidationError("--slow: rank \(rank) is given twice; give one factor")
            }
            slowness[rank] *= factor
        }
        return slowness
    }

    /// What is given and changes nothing in steps that have these kinds of action.
    func idleOptions(kinds: Set<ActionKind>, hasMessages: Bool) -> [String] {
        let hasHalves = kinds.contains(.backwardInput)
        // A whole backward counts as the sum of its halves unless it is given itself.
        let usesHalves = hasHalves || kinds.contains(.backward) && backward == nil
        let needs: [(String, Bool, Bool, String)] = [
            ("--backward-input", backwardInput != nil, usesHalves, "no input gradients of their own"),
            ("--backward-weight", backwardWeight != nil, usesHalves, "no weight gradients of their own"),
            (
                "--backward", backward != nil, kinds.contains(.backward),
                "no whole backwards, but input and weight gradients"
            ),
            (
                "--recompute-time", recomputeTime != nil, kinds.contains(.recompute),
                "no recomputed units; see --recompute"
            ),
            ("--weight-share", weightShare != nil, hasHalves, "no weight gradients of their own"),
            ("--message", message != nil, hasMessages, "no messages"),
            ("--message-bytes", messageBytes != nil, hasMessages, "no messages"),
        ]
        return needs.filter { $0.1 && !$0.2 }.map { "\($0.0) changes nothing here: the step has \($0.3)" }
    }
}
