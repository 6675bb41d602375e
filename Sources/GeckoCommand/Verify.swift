import ArgumentParser
import Files
import Foundation
import Hardware
import JSON
import Model
import Numerics
import Verification

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check this machine's arithmetic against golden data.",
        discussion: """
            Runs every case of every golden file in DIRECTORY: single operations, whole layers, whole models (in one \
            piece and cut at several \
            positions) with their states and state gradients, decoding, AdamW trajectories. Prints a line a case with \
            the largest deviation \
            relative to the tensor's largest entry. Exits with 0 only if every case passed.
            """)

    @Argument(help: "A directory of golden data, such as Tests/ModelTests/Fixtures.")
    var directory: String

    @Option(help: "What multiplies matrices: auto, tiles or openblas.")
    var matrices = MatrixChoice.auto

    @Flag(help: "Print one JSON object instead of lines.")
    var json = false

    func run() throws {
        var reports: [CaseReport] = []
        var unwritten: (any Error)?
        let engine = matrices.engine ?? .automatic
        try Verifier(try engine.products(on: Team(serial: ()))).run(directory: directory) { report in
            reports.append(report)
            guard !json, unwritten == nil else { return }
            do { try Console.show(report.line) } catch { unwritten = error }
        }
        if let unwritten { throw unwritten }
        let failed = reports.filter { !$0.passed }
        let worst = reports.max { $0.deviation < $1.deviation }
        if json {
            let cases = reports.map {
                JSONText.object([
                    ("file", .string($0.file)), ("case", .string($0.name)), ("passed", .bool($0.passed)),
                    ("deviation", .number($0.deviation.finiteOrNegative)), ("tolerance", .number($0.tolerance)),
                    ("tensor", .string($0.tensor)), ("tensors", .number(Double($0.tensors))),
                    ("failure", .string($0.failure ?? "")),
                ])
            }
            let summary = JSONText.object([
                ("cases", .array(cases)), ("passed", .number(Double(reports.count - failed.count))),
                ("failed", .number(Double(failed.count))),
                ("worst_deviation", .number((worst?.deviation ?? 0).finiteOrNegative)),
            ])
            try Console.show(summary.text)
        } else {
            let where_ = worst.map { " (\($0.file) \($0.name) \($0.tensor))" } ?? ""
            try Console.show(
                """
                \(reports.count) cases, \(reports.count - failed.count) passed, \(failed.count) failed; worst \
                deviation \(scientific(worst?.deviation ?? 0))\(where_)
                """
            )
        }
        if !failed.isEmpty { throw ExitCode(1) }
    }
}

extension MatrixChoice: ExpressibleByArgument {}

private func scientific(_ x: Double) -> String { String(format: "%.1e", x) }

extension Double {
    /// JSON has no infinity: -1 stands for a deviation without measure.
    fileprivate var finiteOrNegative: Double { isFinite ? self : -1 }
}

extension CaseReport {
    fileprivate var line: String {
        let title = "\(file.replacingOccurrences(of: ".safetensors", with: "")) \(name)"
        let padded = title.padding(toLength: max(52, title.count), withPad: " ", startingAt: 0)
        if let failure { return "FAIL  \(padded)  \(failure)" }
        return
            """
            \(passed ? "ok  " : "FAIL")  \(padded)  \(scientific(deviation)) of \(scientific(tolerance))  \
            \(tensors) tensors, worst \(tensor)
            """
    }
}
