import Checkpoints
import Glibc
import JSON

/// What one optimizer step did, as it is shown, logged and drawn.
package struct StepMetrics: Sendable, Equatable {
    /// From 1.
    package var step: Int
    /// Mean cross entropy over the step's targets, in nats; of a byte-level model every target is a byte. Not finite
    /// without targets.
    package var loss = 0.0
    package var tokensPerSecond = 0.0
    /// Global norm before clipping; not finite when the step was skipped.
    package var gradientNorm = 0.0
    package var learningRate = 0.0
    /// Model FLOPs a second as a share of the measured FMA peak of the cores in use, 0 ... 1.
    package var utilisation = 0.0
    /// Share of the step that the stages waited, averaged over the ranks, 0 ... 1.
    package var idle = 0.0
    /// Wall time of the step.
    package var seconds = 0.0
    /// Tokens trained on so far, this step included.
    package var tokens = 0
    /// Steps so far that made no update: their gradient was not finite, or they had no targets.
    package var skipped = 0
    /// Mean cross entropy of the held-out text in nats, on steps that end with an evaluation.
    package var heldOutLoss: Double?
    /// The most bytes that the fullest rank's process has held so far; nil in records of older versions.
    package var peakMemory: Int?
    /// With replicas, the share of the gradients' sums that was formed before the last gradients were complete, 0 ...
    /// 1, averaged over the ranks.
    package var earlySums: Double?
    /// Whether any target counted: where each sequence is one document's last byte, none does.
    package var hasTargets = true
    /// Steps so far without targets; they count as skipped, too.
    package var withoutTargets = 0

    /// Figures that are not given are 0.
    package init(step: Int) { self.step = step }

    /// Reads a line of `metrics.jsonl`; nil for anything else.
    package init?(json: [UInt8]) {
        guard case .object(let members)? = try? JSONParser.parse(json).value else { return nil }
        let fields = Dictionary(members.map { ($0.key, $0.node) }) { first, _ in first }
        self.init(step: 0)
        for metric in Metric.all {
            guard let value = fields[metric.name] else {
                if metric.isRequired { return nil }
                continue
            }
            guard metric.read(value, &self) else { return nil }
        }
    }

    package var bitsPerByte: Double { Self.bits(loss) }

    /// Nats as bits.
    package static func bits(_ nats: Double) -> Double { nats / M_LN2 }

    /// One line of `metrics.jsonl`, without its line break. A number that is not finite is null.
    package var json: String {
        let fields = Metric.all.compactMap { metric in
            metric.write(self).map { "\(JSONText.quoted(metric.name)):\($0)" }
        }
        return "{" + fields.joined(separator: ",") + "}"
    }
}
