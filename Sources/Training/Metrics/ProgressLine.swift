import Figures
import Files
import Foundation

/// The run's progress on standard output: a plain line every so many steps, and on a terminal below it one that is
/// rewritten in place.
package struct ProgressLine {
    private let steps: Int
    private let every: Int
    private let columns: () -> Int?
    private let write: (String) -> Void
    private let record: (String) -> Void
    private var shown = false
    private var lastDrawn = -Double.infinity
    private var estimate = TimeLeft()

    /// Seconds between two drawings of the live line.
    private static let drawingInterval = 0.1

    /// - Parameters:
    ///   - steps: steps of the whole run.
    ///   - every: steps between plain lines.
    package init(steps: Int, every: Int) {
        self.init(
            steps: steps, every: every, columns: { Terminal.columns }, write: Console.put, record: Console.record)
    }

    /// - Parameters:
    ///   - columns: the terminal's width now, or nil where there is no terminal.
    ///   - write: takes the output.
    ///   - record: takes the lines that stay.
    package init(
        steps: Int, every: Int, columns: @escaping () -> Int?, write: @escaping (String) -> Void,
        record: @escaping (String) -> Void = { _ in }
    ) {
        self.steps = steps
        self.every = every
        self.columns = columns
        self.write = write
        self.record = record
    }

    /// Shows a finished step.
    /// - Parameter now: monotonic seconds.
    package mutating func update(_ metrics: StepMetrics, now: Double) {
        let left = estimate.update(step: metrics.step, of: steps, now: now)
        func line(_ columns: Int) -> String { Self.line(metrics, of: steps, left: left, columns: columns) }
        let columns = columns()
        let stays = metrics.step >= steps || metrics.step % every == 0 || metrics.step == 1
        if stays {
            write(erasure + line(columns.map { $0 - 1 } ?? .max) + "\n")
            record(line(.max))
            shown = false
            lastDrawn = now
        } else if let columns, now - lastDrawn >= Self.drawingInterval {
            write("\r\u{1B}[K" + line(columns - 1))
            shown = true
            lastDrawn = now
        }
    }

    /// Shows what an evaluation came to.
    package mutating func evaluated(_ metrics: StepMetrics) {
        guard let loss = metrics.heldOutLoss else { return }
        print(
            """
            eval \(metrics.step)/\(steps)  held out \(Self.fixed(loss, 4)) nats  \
            \(Self.fixed(StepMetrics.bits(loss), 3)) bits/byte
            """
        )
    }

    /// Prints lines of text above the live line.
    package mutating func print(_ text: String) {
        write(erasure + text + "\n")
        record(text)
        shown = false
        lastDrawn = -.infinity
    }

    /// Takes the live line away.
    private var erasure: String { shown ? "\r\u{1B}[K" : "" }

    /// Leaves the live line as it is and goes to the next.
    package mutating func finish() {
        if shown { write("\n") }
        shown = false
    }

    /// The fields that fit into `columns`; those that say least go first, the step and the loss stay.
    static func line(_ metrics: StepMetrics, of steps: Int, left: Double?, columns: Int) -> String {
        var fields = Metric.all.compactMap { metric in
            metric.field.flatMap { field in field.text(metrics, steps).map { (text: $0, givesWay: field.givesWay) } }
        }
        if let left { fields.append(("\(left.asClock) left", 1)) }
        func width() -> Int { fields.reduce(-2) { $0 + $1.text.count + 2 } }
        while width() > columns, let first = fields.indices.max(by: { fields[$0].givesWay < fields[$1].givesWay }),
            fields[first].givesWay > 0
        {
            fields.remove(at: first)
        }
        return String(fields.map(\.text).joined(separator: "  ").prefix(columns))
    }
}

extension ProgressLine {
    static func pad(_ value: Int, like widest: Int) -> String {
        let digits = String(value)
        return String(repeating: " ", count: max(0, String(widest).count - digits.count)) + digits
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : "\(value)" }
        return abs(value) < 1e7
            ? String(format: "%.\(digits)f", value)
            : String(format: "%.3e", value).replacing("e+0", with: "e").replacing("e+", with: "e")
    }

    static func scientific(_ value: Double) -> String {
        value == 0 ? "0" : String(format: "%.1e", value).replacing("e-0", with: "e-").replacing("e+0", with: "e")
    }

    /// Three digits and a letter for thousands and more: 987, 12.3k, 4.56M.
    static func scaled(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        for (unit, letter) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= unit * 0.9995 {
            let scaled = value / unit
            let digits = abs(scaled) < 9.995 ? 2 : abs(scaled) < 99.95 ? 1 : 0
            return String(format: "%.\(digits)f", scaled) + letter
        }
        return String(format: abs(value) < 9.95 ? "%.1f" : "%.0f", value)
    }
}
