import Figures
import Foundation
import Simulation

/// A benchmark as a picture: above, a bar of where the core time went; below, how near each kind of work comes to the
/// machine's roof (Williams, Waterman and Patterson, "Roofline", CACM 52:4).
struct BreakdownSVG {
    private let report: BenchReport
    private let title: String

    private static let size = (width: 960.0, height: 600.0)
    private static let bar = (left: 40.0, right: 920.0, top: 70.0, height: 34.0)
    private static let plot = (left: 90.0, right: 920.0, top: 190.0, bottom: 540.0)
    private static let colours = [
        "#2f6fbf", "#d2571e", "#2f9470", "#7a57a8", "#c4574e", "#e3a33b", "#4f6d7a", "#8a7562", "#b8c0cc", "#6b7280",
    ]

    init(_ report: BenchReport) {
        self.report = report
        let p = report.plan.pipeline
        title =
            "\(p.model.summary): \(report.plan.tokensPerStep) tokens a step in slices of \(p.slice)"
    }

    var text: String {
        var svg = SVGWriter(width: Self.size.width, height: Self.size.height, title: title)
        svg.rectangle(
            SVGRectangle(0.5, 0.5, Self.size.width - 1, Self.size.height - 1), fill: "#fcfcfd", stroke: "#d5dae1",
            radius: 10)
        svg.text(title, at: SVGPoint(40, 36), size: 18, weight: "600")
        svg.text(summary, at: SVGPoint(40, 57), size: 13, fill: "#5f6b7a")
        drawShares(&svg)
        drawRoof(&svg)
        return svg.finished
    }

    private var summary: String {
        "\(BenchReport.rate(report.tokensPerSecond)) tokens/s, utilisation \(report.utilisation.asPercentage) "
            + "of \(BenchReport.gigas(report.limits.multiplyAdd)) GFLOP/s x \(report.host.workers)"
    }

    private var coloured: [(row: BenchReport.Row, colour: String)] { Array(zip(report.rows, Self.colours)) }

    /// The bar, and under it the names of the parts that are wide enough.
    private func drawShares(_ svg: inout SVGWriter) {
        let bar = Self.bar
        var x = bar.left
        var end = bar.left
        for (row, colour) in coloured where row.share > 0 {
            let width = row.share * (bar.right - bar.left)
            svg.rectangle(SVGRectangle(x, bar.top, width, bar.height), fill: colour)
            let label = "\(row.name) \(row.share.asPercentage)"
            // A label may reach into what is right of its part, but not over the label before.
            if x >= end, row.share > 0.004, x + 6.4 * Double(label.count) < bar.right + 20 {
                svg.text(label, at: SVGPoint(x, bar.top + bar.height + 16), size: 11.5, fill: "#24292f")
                end = x + 6.4 * Double(label.count) + 8
            }
            x += width
        }
        svg.text(
            "share of the core time of a step", at: SVGPoint(bar.left, bar.top + bar.height + 34), size: 12,
            fill: "#5f6b7a")
    }

    private func drawRoof(_ svg: inout SVGWriter) {
        let plot = Self.plot
        let rows = coloured.filter { $0.row.count.flops > 0 && $0.row.seconds > 0 }
        let precision = report.plan.pipeline.model.precision
        let peak = report.limits.peak(precision) / 1e9
        let bandwidth = report.limits.bandwidth / 1e9
        let intensities = rows.map { $0.row.count.flops / $0.row.count.bytes } + [peak / bandwidth]
        let rates = rows.map { $0.row.flopRate / 1e9 } + [peak]
        let across = LogScale(intensities, from: plot.left, to: plot.right)
        let up = LogScale(rates, from: plot.bottom, to: plot.top)
        for decade in across.decades {
            svg.line(
                from: SVGPoint(across[decade], plot.top), to: SVGPoint(across[decade], plot.bottom), stroke: "#e4e8ee")
            svg.text(
                decade.significant, at: SVGPoint(across[decade], plot.bottom + 18), size: 12, fill: "#5f6b7a",
                anchor: "middle")
        }
        for decade in up.decades {
            svg.line(from: SVGPoint(plot.left, up[decade]), to: SVGPoint(plot.right, up[decade]), stroke: "#e4e8ee")
            svg.text(
                decade.significant, at: SVGPoint(plot.left - 8, up[decade] + 4), size: 12, fill: "#5f6b7a",
                anchor: "end")
        }
        svg.text(
            "flops per byte moved", at: SVGPoint((plot.left + plot.right) / 2, plot.bottom + 42), size: 13,
            fill: "#5f6b7a", anchor: "middle")
        svg.text("GFLOP/s of a core", at: SVGPoint(plot.left - 50, plot.top - 6), size: 12, fill: "#5f6b7a")
        // The roof: memory's slope up to the ridge, then the peak.
        let ridge = peak / bandwidth
        let foot = max(across.low, up.low / bandwidth)
        svg.line(
            from: SVGPoint(across[foot], up[foot * bandwidth]), to: SVGPoint(across[ridge], up[peak]),
            stroke: "#24292f", width: 1.6)
        svg.line(
            from: SVGPoint(across[ridge], up[peak]), to: SVGPoint(plot.right, up[peak]), stroke: "#24292f", width: 1.6)
        svg.text(
            "memory \(BenchReport.gigas(report.limits.bandwidth)) GB/s",
            at: SVGPoint(across[foot], up[foot * bandwidth] + 20), size: 12)
        svg.text(
            "peak \(BenchReport.gigas(report.limits.peak(precision))) GFLOP/s (\(precision.rawValue))",
            at: SVGPoint(across[ridge], up[peak] - 8), size: 12)
        var labels = LabelPlaces(size: 12)
        for (row, colour) in rows {
            let (x, y) = (across[row.count.flops / row.count.bytes], up[row.flopRate / 1e9])
            let radius = 4 + 26 * row.share.squareRoot()
            svg.circle(x, y, radius, fill: colour, opacity: 0.8)
            let label = "\(row.name)  \(BenchReport.gigas(row.flopRate))"
            // Left of the point where there is no room on the right.
            let isNearTheEdge = x > plot.right - 130
            let side = isNearTheEdge ? x - radius - 5 : x + radius + 5
            svg.text(
                label, at: SVGPoint(side, labels.place(label, x: side, y: y + 4, endsThere: isNearTheEdge)), size: 12,
                anchor: isNearTheEdge ? "end" : "start")
        }
    }
}

/// Where labels stand, so that none is written over another.
private struct LabelPlaces {
    let size: Double
    private var taken: [(across: ClosedRange<Double>, y: Double)] = []

    init(size: Double) { self.size = size }

    /// The height of a label's line: as wanted, or as far below as others need.
    mutating func place(_ text: String, x: Double, y: Double, endsThere: Bool) -> Double {
        let width = 0.6 * size * Double(text.count)
        let across = endsThere ? x - width...x : x...x + width
        var line = y
        while let other = taken.first(where: { $0.across.overlaps(across) && abs($0.y - line) < size + 2 }) {
            line = other.y + size + 2
        }
        taken.append((across, line))
        return line
    }
}

/// A logarithmic axis that begins and ends at whole decades.
private struct LogScale {
    let low: Double
    private let high: Double
    private let from: Double
    private let to: Double

    init(_ values: [Double], from: Double, to: Double) {
        low = pow(10, floor(log10(values.min() ?? 1)))
        high = pow(10, floor(log10(values.max() ?? 1) + 0.8) + 0.2)
        self.from = from
        self.to = to
    }

    var decades: [Double] { Array(sequence(first: low) { $0 * 10 }.prefix { $0 <= high }) }

    subscript(_ value: Double) -> Double { from + log(value / low) / log(high / low) * (to - from) }
}
