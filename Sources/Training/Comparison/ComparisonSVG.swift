import Figures
import Glibc
import Pipeline
import Simulation

/// Runs side by side as a picture: training loss over tokens and over time, held-out loss over positions.
package struct ComparisonSVG {
    private let groups: [RunGroup]

    private static let width = 1080.0
    private static let ink = "#1f2933"
    private static let quiet = "#5f6b7a"
    private static let grid = "#e4e8ee"
    private static let colours = [
        "#2f6fbf", "#d2571e", "#2f9470", "#7a57a8", "#d99a1b", "#2aa3b8", "#c2408a", "#6b7280",
    ]
    private static let legendColumns = 4

    package init(_ comparison: RunComparison) { groups = comparison.groups }

    package func render() -> String {
        let rows = (groups.count + Self.legendColumns - 1) / Self.legendColumns
        let top = 66.0 + 22 * Double(rows)
        let bins = groups.compactMap { $0.first.positions?.bins }.first
        let height = top + 400 + (bins == nil ? 0 : 360)
        var svg = SVGWriter(width: Self.width, height: height, title: "Losses of \(groups.count) runs")
        svg.rectangle(
            SVGRectangle(0.5, 0.5, Self.width - 1, height - 1), fill: "#fcfcfd", stroke: "#d5dae1", radius: 10)
        svg.text("Loss in nats a token", at: SVGPoint(40, 36), size: 19, fill: Self.ink, weight: "600")
        svg.text(subtitle, at: SVGPoint(290, 36), size: 13, fill: Self.quiet)
        legend(&svg)
        let area = (top: top + 30, bottom: top + 330)
        draw(
            groups.map { ComparisonCurve($0, x: { Double($0.tokens) }) }, &svg,
            Panel(
                left: 70, right: 520, top: area.top, bottom: area.bottom, title: "training loss over tokens",
                label: { ProgressLine.scaled($0) }))
        draw(
            groups.map { ComparisonCurve($0, x: \.seconds) }, &svg,
            Panel(
                left: 600, right: 1050, top: area.top, bottom: area.bottom,
                title: "training loss over time of the steps",
                label: { $0.asClock }))
        if let bins {
            draw(
                groups.map { ComparisonCurve(positions: $0, bins: bins) }, &svg,
                Panel(
                    left: 70, right: 1050, top: area.bottom + 90, bottom: area.bottom + 350,
                    title: "held-out loss over the position in a sequence of \(bins.sequence) tokens",
                    label: { AxisTicks.grouped(Int($0)) }, isLogarithmic: true))
        }
        return svg.finished
    }

    private var subtitle: String {
        groups.contains { $0.runs.count > 1 }
            ? "smoothed; bands are the standard deviation over seeds; in the legend held-out losses" : "smoothed"
    }

    private func colour(_ group: Int) -> String { Self.colours[group % Self.colours.count] }
    /// Beyond the colours that there are.
    private func dash(_ group: Int) -> String? { group < Self.colours.count ? nil : "6 4" }

    private func legend(_ svg: inout SVGWriter) {
        let wide = (Self.width - 80) / Double(Self.legendColumns)
        for (i, group) in groups.enumerated() {
            let x = 40 + wide * Double(i % Self.legendColumns)
            let y = 66 + 22 * Double(i / Self.legendColumns)
            svg.curve([SVGPoint(x, y - 4), SVGPoint(x + 26, y - 4)], stroke: colour(i), width: 3, dash: dash(i))
            let loss = group.heldOutLoss.map { value in
                "  " + ProgressLine.fixed(value.mean, 4)
                    + (value.deviation.map { " ± \(ProgressLine.fixed($0, 4))" } ?? "")
            }
            let name = group.name.count > 16 ? group.name.prefix(15) + "…" : group.name[...]
            svg.text(name + (loss ?? ""), at: SVGPoint(x + 34, y), size: 13, fill: Self.ink)
        }
    }

    /// Where a panel stands, and how it names places on its axis across.
    private struct Panel {
        let left, right, top, bottom: Double
        let title: String
        let label: (Double) -> String
        var isLogarithmic = false
    }

    private func draw(_ curves: [ComparisonCurve], _ svg: inout SVGWriter, _ panel: Panel) {
        svg.text(panel.title, at: SVGPoint(panel.left, panel.top - 12), size: 14, fill: Self.ink, weight: "600")
        let points = curves.flatMap(\.points)
        guard let lowest = points.map(\.mean).min(), let start = points.map(\.x).min(),
            let end = points.map(\.x).max()
        else {
            svg.text("nothing to draw", at: SVGPoint(panel.left + 10, panel.top + 24), size: 13, fill: Self.quiet)
            return
        }
        // The steep beginning would press all differences into a line: the scale begins where most of it is over.
        let early = curves.compactMap { curve in
            curve.points.first { $0.x >= start + (end - start) * (panel.isLogarithmic ? 0.02 : 0.08) }?.mean
        }
        let room = max(0.01, ((early.max() ?? lowest) - lowest) * 0.06)
        let scale = Scale(
            panel: panel, across: start...max(end, start + 1),
            up: lowest - room...max(early.max() ?? lowest, lowest) + room)
        axes(scale, &svg)
        for (i, curve) in curves.enumerated() { band(curve, scale, colour(i), &svg) }
        for (i, curve) in curves.enumerated() {
            for piece in scale.pieces(curve.points.map { ($0.x, $0.mean) }) {
                svg.curve(piece, stroke: colour(i), width: 2, dash: dash(i))
            }
        }
    }

    private func band(_ curve: ComparisonCurve, _ scale: Scale, _ colour: String, _ svg: inout SVGWriter) {
        guard curve.points.contains(where: { $0.deviation > 0 }) else { return }
        let seen = curve.points.filter { $0.mean <= scale.up.upperBound }
        let over = seen.map { scale.point($0.x, min($0.mean + $0.deviation, scale.up.upperBound)) }
        let under = seen.reversed().map { scale.point($0.x, max($0.mean - $0.deviation, scale.up.lowerBound)) }
        svg.polygon(over + under, fill: colour, opacity: 0.16)
    }

    private func axes(_ scale: Scale, _ svg: inout SVGWriter) {
        let panel = scale.panel
        let losses = AxisTicks(scale.up, count: 6)
        for value in losses.values {
            let y = scale.point(scale.across.lowerBound, value).y
            svg.line(from: SVGPoint(panel.left, y), to: SVGPoint(panel.right, y), stroke: Self.grid)
            svg.text(
                losses.label(value), at: SVGPoint(panel.left - 8, y + 4.5), size: 12, fill: Self.quiet, anchor: "end")
        }
        for value in scale.marks {
            let x = scale.point(value, scale.up.lowerBound).x
            svg.line(from: SVGPoint(x, panel.bottom), to: SVGPoint(x, panel.bottom + 5), stroke: Self.quiet)
            svg.text(
                panel.label(value), at: SVGPoint(x, panel.bottom + 20), size: 12, fill: Self.quiet, anchor: "middle")
        }
        svg.line(
            from: SVGPoint(panel.left, panel.bottom), to: SVGPoint(panel.right, panel.bottom), stroke: Self.quiet)
    }

    /// From figures to the picture.
    private struct Scale {
        let panel: Panel
        let across: ClosedRange<Double>
        let up: ClosedRange<Double>

        func point(_ x: Double, _ loss: Double) -> SVGPoint {
            let (low, high) = (place(across.lowerBound), place(across.upperBound))
            let share = (place(x) - low) / (high - low)
            let height = (loss - up.lowerBound) / (up.upperBound - up.lowerBound)
            return SVGPoint(
                panel.left + share * (panel.right - panel.left), panel.bottom - height * (panel.bottom - panel.top))
        }

        private func place(_ x: Double) -> Double { panel.isLogarithmic ? log(max(x, 1)) : x }

        /// Round places on the axis across; powers of two on a logarithmic one, where sequences are.
        var marks: [Double] {
            guard panel.isLogarithmic else { return AxisTicks(across, count: 6).values }
            return (0..<40).map { Double(1 << $0) }.filter(across.contains)
        }

        /// A curve without what is above the panel, cut where it crosses its upper edge.
        func pieces(_ points: [(x: Double, loss: Double)]) -> [[SVGPoint]] {
            var pieces: [[SVGPoint]] = []
            var last: (x: Double, loss: Double)?
            for now in points {
                let isIn = now.loss <= up.upperBound
                if let last, (last.loss <= up.upperBound) != isIn {
                    let share = (up.upperBound - last.loss) / (now.loss - last.loss)
                    let edge = point(last.x + share * (now.x - last.x), up.upperBound)
                    if isIn { pieces.append([edge]) } else { pieces[pieces.count - 1].append(edge) }
                } else if last == nil, isIn {
                    pieces.append([])
                }
                if isIn { pieces[pieces.count - 1].append(point(now.x, now.loss)) }
                last = now
            }
            return pieces
        }
    }
}
