import ArgumentParser
import Foundation
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
            Share of a unit that is held from its input gradient to its weight gradient, for caps and peaks (0 to 1); 0.4, as of the \
            zero-bubble paper's transformers, where costs hold no bytes.
            """, valueName: "share"))
    var weightShare: Double?

    @Option(help: "A rank that is slower than the others, as RANK:FACTOR such as 3:1.4; may be repeated.")
    var slow: [String] = []

    func validate() throws {
        for (option, value) in [
            ("--forward", forward), ("--backward-input", backwardInput), ("--backward-weight", backwardWeight),
            ("--backward", backward), ("--recompute-time", recomputeTime), ("--message", message),
        ] {
            guard let value else { continue }
            guard value >= 0, value.isFinite else {
                throw ValidationError("\(option): expected at least 0 milliseconds, found \(value)")
            }
        }
        if let weightShare, !(0...1).contains(weightShare) {
            throw ValidationError("--weight-share: expected a share from 0 to 1, found \(weightShare)")
        }
    }

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
            if backwardInput != nil, backwardWeight != nil { file.stages[index].lacksHalves = false }
            file.stages[index].forward = forward.map { $0 / 1e3 } ?? old.forward
            file.stages[index].backwardInput = input
            file.stages[index].backwardWeight = weight
            file.stages[index].backward =
                backward.map { $0 / 1e3 } ?? (halves || costs == nil ? input + weight : old.backward)
            file.stages[index].recompute =
                recomputeTime.map { $0 / 1e3 } ?? (costs == nil ? file.stages[index].forward : old.recompute)
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
