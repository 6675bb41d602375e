import Figures
import JSON

/// One figure of a step: its name and form in `metrics.jsonl`, and its field on the progress line if it has one.
///
/// A new metric is a variable of `StepMetrics`, a row in `all`, and where it is measured (`RunLog`).
struct Metric: Sendable {
    /// A field of the progress line.
    struct Field: Sendable {
        /// Which fields go first when the line is too narrow: the higher number. Those with 0 stay.
        let givesWay: Int
        /// - Returns: nil when there is nothing to show
        let text: @Sendable (_ metrics: StepMetrics, _ steps: Int) -> String?
    }

    let name: String
    /// As JSON; nil when a step has none.
    let write: @Sendable (StepMetrics) -> String?
    /// Takes it over from a file.
    /// - Returns: false when it is of another type
    let read: @Sendable (_ value: JSONNode, _ into: inout StepMetrics) -> Bool
    /// Whether every line has it.
    var isRequired = false
    var field: Field?
}

extension Metric {
    /// In the order of a line of `metrics.jsonl` and of the progress line.
    static let all: [Metric] = [
        count("step", \.step) { "\(ProgressLine.pad($0.step, like: $1))/\($1)" },
        number("loss", \.loss) { metrics, _ in
            metrics.hasTargets ? "loss \(ProgressLine.fixed(metrics.loss, 4))" : "no targets"
        },
        derived("bits_per_byte", givesWay: 1) {
            $0.bitsPerByte
        } field: {
            $0.hasTargets ? "\(ProgressLine.fixed($0.bitsPerByte, 3)) bits/byte" : "no update"
        },
        number("tokens_per_second", \.tokensPerSecond, givesWay: 2) { metrics, _ in
            "\(ProgressLine.scaled(metrics.tokensPerSecond)) tok/s"
        },
        number("gradient_norm", \.gradientNorm, givesWay: 5) { metrics, _ in
            "norm \(ProgressLine.fixed(metrics.gradientNorm, 2))"
        },
        number("learning_rate", \.learningRate, givesWay: 6) { metrics, _ in
            "lr \(ProgressLine.scientific(metrics.learningRate))"
        },
        number("utilisation", \.utilisation, givesWay: 4) { metrics, _ in
            "mfu \(metrics.utilisation.asTersePercentage)"
        },
        number("idle", \.idle, givesWay: 7) { metrics, _ in "idle \(metrics.idle.asTersePercentage)" },
        number("seconds", \.seconds),
        count("tokens", \.tokens),
        count("skipped", \.skipped, givesWay: 3) { metrics, _ in
            metrics.skipped > 0 ? "skipped \(metrics.skipped)" : nil
        },
        Metric(name: "targets") {
            $0.hasTargets ? nil : "0"
        } read: { value, metrics in
            metrics.hasTargets = value.integer != 0
            return true
        },
        Metric(name: "without_targets") {
            $0.withoutTargets > 0 ? String($0.withoutTargets) : nil
        } read: { value, metrics in
            metrics.withoutTargets = value.integer ?? 0
            return true
        },
        Metric(name: "peak_rss_bytes") {
            $0.peakMemory.map(String.init)
        } read: { value, metrics in
            metrics.peakMemory = value.integer
            return true
        },
        optional("early_sums", \.earlySums),
        optional("held_out_loss", \.heldOutLoss),
        derived("held_out_bits_per_byte") { $0.heldOutLoss.map(StepMetrics.bits) },
    ]

    private typealias Text = @Sendable (_ metrics: StepMetrics, _ steps: Int) -> String?
    private typealias Variable<Value> = any WritableKeyPath<StepMetrics, Value> & Sendable

    private static func field(_ givesWay: Int, _ text: Text?) -> Field? {
        text.map { Field(givesWay: givesWay, text: $0) }
    }

    private static func number(
        _ name: String, _ variable: Variable<Double>, givesWay: Int = 0, _ text: Text? = nil
    ) -> Metric {
        Metric(name: name) {
            JSONText.exact($0[keyPath: variable])
        } read: { value, metrics in
            guard let number = finiteOrNot(value) else { return false }
            metrics[keyPath: variable] = number
            return true
        }.required.shown(field(givesWay, text))
    }

    private static func count(_ name: String, _ variable: Variable<Int>, givesWay: Int = 0, _ text: Text? = nil)
        -> Metric
    {
        Metric(name: name) {
            String($0[keyPath: variable])
        } read: { value, metrics in
            guard let number = value.integer else { return false }
            metrics[keyPath: variable] = number
            return true
        }.required.shown(field(givesWay, text))
    }

    private static func optional(_ name: String, _ variable: Variable<Double?>) -> Metric {
        Metric(name: name) {
            $0[keyPath: variable].map(JSONText.exact)
        } read: { value, metrics in
            metrics[keyPath: variable] = finiteOrNot(value)
            return true
        }
    }

    /// What follows from the others is written for whoever reads the file, and not read back.
    private static func derived(
        _ name: String, givesWay: Int = 0, _ value: @escaping @Sendable (StepMetrics) -> Double?,
        field text: (@Sendable (StepMetrics) -> String)? = nil
    ) -> Metric {
        Metric(name: name) {
            value($0).map(JSONText.exact)
        } read: { _, _ in
            true
        }.shown(text.map { text in Field(givesWay: givesWay) { metrics, _ in text(metrics) } })
    }

    /// Null stands for a number that was not finite.
    private static func finiteOrNot(_ value: JSONNode) -> Double? { value.value == .null ? .nan : value.number }

    private var required: Metric {
        var metric = self
        metric.isRequired = true
        return metric
    }

    private func shown(_ field: Field?) -> Metric {
        var metric = self
        metric.field = field
        return metric
    }

    private init(
        name: String, write: @escaping @Sendable (StepMetrics) -> String?,
        read: @escaping @Sendable (_ value: JSONNode, _ into: inout StepMetrics) -> Bool
    ) {
        self.name = name
        self.write = write
        self.read = read
    }
}
