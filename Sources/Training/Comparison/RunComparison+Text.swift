import Figures
import Hardware
import Pipeline

/// The comparison as Markdown, whose columns are as wide as their cells, so that it reads in a terminal, too.
extension RunComparison {
    package var text: String {
        var parts = [MarkdownTable(header: Self.columns, rows: groups.map(row)).text, spread]
        if let positions = positionTable { parts.append(positions) }
        if !differences.rows.isEmpty {
            parts.append(
                "Configurations differ in:\n\n"
                    + MarkdownTable(
                        header: ["key"] + groups.map(\.name),
                        rows: differences.rows.map { [$0.key] + $0.values.map { $0 ?? "-" } }
                    ).text)
        }
        if !notes.isEmpty { parts.append(notes.map { "Note: \($0).\n" }.joined()) }
        return parts.joined(separator: "\n")
    }

    private static let columns = [
        "run", "architecture", "parameters without embeddings", "parameters", "forward FLOPs a token", "tokens",
        "tokens/s", "peak memory", "held-out loss (nats)", "bits/byte",
    ]

    private func row(_ group: RunGroup) -> [String] {
        let (run, model) = (group.first, group.first.model)
        let loss = group.heldOutLoss
        return [
            group.name, run.architecture, AxisTicks.grouped(model.parametersWithoutEmbeddings),
            AxisTicks.grouped(model.parameterCount),
            ProgressLine.scaled(
                model.meanForwardFlops(
                    sequence: run.configuration.data.sequence, before: run.configuration.data.streamContext)),
            AxisTicks.grouped(group.tokens), ProgressLine.scaled(group.tokensPerSecond),
            group.peakMemory.map { $0.asBytes } ?? "-", loss.map { Self.text($0, 1) } ?? "-",
            loss.map { Self.text($0, StepMetrics.bits(1)) } ?? "-",
        ]
    }

    /// - Parameter factor: to another unit
    private static func text(_ mean: SeedMean, _ factor: Double) -> String {
        let value = ProgressLine.fixed(mean.mean * factor, 4)
        return mean.deviation.map { "\(value) ± \(ProgressLine.fixed($0 * factor, 4))" } ?? value
    }

    private var spread: String {
        let counts = groups.map { $0.runs.count }
        let sequence = "FLOPs are the mean of the positions of the trained sequence; tokens/s the median of the steps."
        guard let most = counts.max(), most > 1 else { return sequence + "\n" }
        let seeds = Set(counts).count == 1 ? "\(most)" : "up to \(most)"
        return "± is the standard deviation over \(seeds) seeds. " + sequence + "\n"
    }

    /// Held-out loss by stretches of the sequence; nil where no run has any.
    private var positionTable: String? {
        guard let bins = groups.compactMap({ $0.first.positions?.bins }).first else { return nil }
        let stretches = PositionStretches.of(bins)
        let header = stretches.map {
            "\(bins.positions(of: $0.lowerBound).lowerBound)-\(bins.positions(of: $0.upperBound - 1).upperBound - 1)"
        }
        let rows = groups.map { group in
            let fits = group.runs.allSatisfy { $0.positions?.bins == bins }
            return [group.name]
                + stretches.map { fits ? group.heldOutLoss(bins: $0).map { Self.text($0, 1) } ?? "-" : "-" }
        }
        return "Held-out loss (nats) by position in sequences of \(bins.sequence) tokens:\n\n"
            + MarkdownTable(header: ["run"] + header, rows: rows).text
    }
}

/// A table of Markdown, the first column to the left and the others to the right.
struct MarkdownTable {
    let header: [String]
    let rows: [[String]]

    var text: String {
        let all = ([header] + rows).map { $0.map { $0.replacing("|", with: "\\|") } }
        let widths = header.indices.map { column in max(3, all.map { $0[column].count }.max() ?? 0) }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).enumerated().map { i, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return i == 0 ? cell.0 + padding : padding + cell.0
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = widths.enumerated().map { i, width in
            i == 0 ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
        }
        return line(all[0]) + line(rule) + all.dropFirst().map(line).joined()
    }
}
