import Figures
import Foundation

/// The loss over a run as a picture: every step faintly, a smoothed line, and the held-out evaluations; nats on the
/// left axis, bits per byte on the right. It has a light panel of its own and so reads on light and dark pages.
package struct LossCurveSVG {
    private let title: String
    private let train: LossSeries
    private let heldOut: LossSeries
    private let tokens: Int

    private static let width = 960.0
    private static let height = 500.0
    private static let plot = (left: 74.0, right: 886.0, top: 78.0, bottom: 440.0)
    private static let ink = "#1f2933"
    private static let quiet = "#5f6b7a"
    private static let grid = "#e4e8ee"
    private static let trainColour = "#2f6fbf"
    private static let heldOutColour = "#d2571e"

    /// - Parameter title: the run's name.
    package init(title: String, train: LossHistory, heldOut: LossHistory, tokens: Int) {
        self.title = title.count > 80 ? title.prefix(79) + "…" : title
        self.train = LossSeries(train)
        self.heldOut = LossSeries(heldOut)
        self.tokens = tokens
    }

    /// The whole SVG document.
    package func render() -> String {
        let losses = (train.outline + heldOut.points).map(\.loss)
        guard let lowest = losses.min(), let highest = losses.max(),
            let last = (train.outline + heldOut.points).map(\.step).max()
        else {
            return document(text(Self.width / 2, Self.height / 2, "no finite loss", anchor: "middle", Font(size: 15)))
        }
        let scale = Scale(steps: 0...Double(max(last, 1)), losses: Self.range(lowest, highest))
        return document(axes(scale) + legend() + curves(scale))
    }

    /// From the losses to the picture.
    private struct Scale {
        let steps: ClosedRange<Double>
        let losses: ClosedRange<Double>

        func x(_ step: Double) -> Double {
            let share = (step - steps.lowerBound) / (steps.upperBound - steps.lowerBound)
            return plot.left + share * (plot.right - plot.left)
        }

        func y(_ loss: Double) -> Double {
            let share = (loss - losses.lowerBound) / (losses.upperBound - losses.lowerBound)
            return plot.bottom - share * (plot.bottom - plot.top)
        }
    }

    /// A little room below and above, and never an empty range; a loss is not negative.
    private static func range(_ low: Double, _ high: Double) -> ClosedRange<Double> {
        let room = max((high - low) * 0.06, max(abs(high), 1) * 0.02)
        return (low >= 0 ? max(0, low - room) : low - room)...high + room
    }
}

extension LossCurveSVG {
    private func axes(_ scale: Scale) -> String {
        let plot = Self.plot
        var out = ""
        let nats = AxisTicks(scale.losses, count: 6)
        for value in nats.values {
            let y = scale.y(value)
            out += line(plot.left, y, plot.right, y, Self.grid)
            out += text(plot.left - 10, y + 4.5, nats.label(value), anchor: "end")
        }
        let bits = AxisTicks(
            StepMetrics.bits(scale.losses.lowerBound)...StepMetrics.bits(scale.losses.upperBound), count: 6)
        for value in bits.values {
            let y = scale.y(value / StepMetrics.bits(1))
            out += line(plot.right, y, plot.right + 5, y, Self.quiet)
            out += text(plot.right + 10, y + 4.5, bits.label(value))
        }
        let steps = AxisTicks(scale.steps, count: 8, integral: true)
        for value in steps.values {
            let x = scale.x(value)
            out += line(x, plot.bottom, x, plot.bottom + 5, Self.quiet)
            out += text(x, plot.bottom + 21, steps.label(value), anchor: "middle")
        }
        out += line(plot.left, plot.bottom, plot.right, plot.bottom, Self.quiet)
        out += text((plot.left + plot.right) / 2, plot.bottom + 45, "step", anchor: "middle", Font(size: 14))
        let middle = (plot.top + plot.bottom) / 2
        out += text(24, middle, "loss (nats per token)", anchor: "middle", turned: -90, Font(size: 14))
        out += text(Self.width - 22, middle, "bits per byte", anchor: "middle", turned: 90, Font(size: 14))
        return out
    }

    private func curves(_ scale: Scale) -> String {
        let limit = 1600
        var out = path(
            LossSeries.thinned(train.outline, limit: limit), scale, Self.trainColour, width: 1, opacity: 0.45)
        out += path(train.smoothed(limit: limit), scale, Self.trainColour, width: 2.2, opacity: 1)
        if heldOut.points.count > 1 {
            out += path(heldOut.points, scale, Self.heldOutColour, width: 1.4, opacity: 0.8, dashed: true)
        }
        // Beyond this the marks would cover the line between them.
        let radius = heldOut.points.count > 60 ? 2.2 : 4.2
        for point in heldOut.points {
            out +=
                "<circle cx=\"\(number(scale.x(Double(point.step))))\" cy=\"\(number(scale.y(point.loss)))\" "
                + "r=\"\(radius)\" fill=\"\(Self.heldOutColour)\" stroke=\"#ffffff\" stroke-width=\"1.2\"/>\n"
        }
        return out
    }

    private func legend() -> String {
        let entries = [("every step", 0.45, 1.0), ("smoothed", 1, 2.2)]
        let left = Self.plot.right - 196
        let rows = Double(entries.count + (heldOut.points.isEmpty ? 0 : 1))
        var y = Self.plot.top + 24
        // An own ground keeps the grid out of the legend.
        var out =
            "<rect x=\"\(left - 12)\" y=\"\(y - 16)\" width=\"200\" height=\"\(rows * 22 + 10)\" rx=\"5\" "
            + "fill=\"#fcfcfd\" stroke=\"\(Self.grid)\"/>\n"
        for (name, opacity, width) in entries {
            out +=
                "<line x1=\"\(left)\" y1=\"\(y)\" x2=\"\(left + 28)\" y2=\"\(y)\" stroke=\"\(Self.trainColour)\" "
                + "stroke-width=\"\(width)\" stroke-opacity=\"\(opacity)\"/>\n"
            out += text(left + 40, y + 4.5, "training, \(name)")
            y += 22
        }
        if !heldOut.points.isEmpty {
            out += "<circle cx=\"\(left + 14)\" cy=\"\(y)\" r=\"4.2\" fill=\"\(Self.heldOutColour)\"/>\n"
            out += text(left + 40, y + 4.5, "held-out text")
        }
        return out
    }

    /// What the run came to, under the title.
    private var summary: String {
        var parts: [String] = []
        if let last = train.points.last {
            parts.append(last.step == 1 ? "1 step" : "\(AxisTicks.grouped(last.step)) steps")
        }
        if tokens > 0 { parts.append("\(ProgressLine.scaled(Double(tokens))) tokens") }
        if let last = heldOut.points.last {
            let bits = ProgressLine.fixed(StepMetrics.bits(last.loss), 3)
            parts.append("held-out loss \(ProgressLine.fixed(last.loss, 3)) nats = \(bits) bits per byte")
        } else if let last = train.smoothed(limit: 2).last {
            parts.append("training loss \(ProgressLine.fixed(last.loss, 3)) nats")
        }
        return parts.joined(separator: "  ·  ")
    }
}

extension LossCurveSVG {
    private func document(_ body: String) -> String {
        let (width, height) = (Int(Self.width), Int(Self.height))
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" \
            height="\(height)" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, \
            sans-serif">
            <!-- drawn by gecko -->
            <title>\(Self.escaped("Loss of \(title)"))</title>
            <rect x="0.5" y="0.5" width="\(width - 1)" height="\(height - 1)" rx="10" fill="#fcfcfd" stroke="#d5dae1"/>
            \(text(Self.plot.left - 50, 34, title, Font(size: 19, colour: Self.ink, isBold: true)))\
            \(text(Self.plot.left - 50, 57, summary, Font(size: 13.5)))\(body)</svg>

            """
    }

    private func number(_ value: Double) -> String { String(format: "%.2f", value) }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
            + "stroke=\"\(colour)\"/>\n"
    }

    private struct Font {
        var size = 13.0
        var colour = LossCurveSVG.quiet
        var isBold = false
    }

    private func text(
        _ x: Double, _ y: Double, _ text: String, anchor: String = "start", turned: Double = 0, _ font: Font = Font()
    ) -> String {
        let turn = turned == 0 ? "" : " transform=\"rotate(\(number(turned)) \(number(x)) \(number(y)))\""
        let weight = font.isBold ? " font-weight=\"600\"" : ""
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(font.size)\" fill=\"\(font.colour)\" "
            + "text-anchor=\"\(anchor)\"\(weight)\(turn)>\(Self.escaped(text))</text>\n"
    }

    private func path(
        _ points: [(step: Int, loss: Double)], _ scale: Scale, _ colour: String, width: Double, opacity: Double,
        dashed: Bool = false
    ) -> String {
        if points.count == 1, let only = points.first {
            return "<circle cx=\"\(number(scale.x(Double(only.step))))\" cy=\"\(number(scale.y(only.loss)))\" r=\"3\" "
                + "fill=\"\(colour)\"/>\n"
        }
        let coordinates = points.map { "\(number(scale.x(Double($0.step)))),\(number(scale.y($0.loss)))" }
        return "<polyline points=\"\(coordinates.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" "
            + "stroke-width=\"\(width)\" stroke-opacity=\"\(opacity)\" stroke-linejoin=\"round\""
            + (dashed ? " stroke-dasharray=\"5 4\"" : "") + "/>\n"
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
