import Checkpoints
import Glibc
import JSON

/// What one optimizer step did, as it is shown, logged and drawn.
package struct StepMetrics: Sendable, Equatable {
    /// From 1.
    package var step: Int
    /// Mean cross entropy over the step's targets, in nats; of a byte-level model every target is a byte. Not finite without targets.
    package var loss: Double
    package var tokensPerSecond: Double
    /// Global norm before clipping; not finite when the step was skipped.
    package var gradientNorm: Double
    package var learningRate: Double
    /// Model FLOPs a second as a share of the measured FMA peak of the cores in use, 0 ... 1.
    package var utilisation: Double
    /// Share of the step that the stages waited, averaged over the ranks, 0 ... 1.
    package var idle: Double
    /// Wall time of the step.
    package var seconds: Double
    /// Tokens trained on so far, this step included.
    package var tokens: Int
    /// Steps so far that made no update: their gradient was not finite, or they had no targets.
    package var skipped: Int
    /// Mean cross entropy of the held-out text in nats, on steps that end with an evaluation.
    package var heldOutLoss: Double?
    /// The most bytes that the fullest rank's process has held so far; nil in records of older versions.
    package var peakMemory: Int?
    /// With replicas, the share of the gradients' sums that was formed before the last gradients were complete, 0 ... 1,
    /// averaged over the ranks.
    package var earlySums: Double?
    /// Whether any target counted: where each sequence is one document's last byte, none does.
    package var hasTargets = true
    /// Steps so far without targets; they count as skipped, too.
    package var withoutTargets = 0

    package init(
        step: Int, loss: Double, tokensPerSecond: Double, gradientNorm: Double, learningRate: Double,
        utilisation: Double, idle: Double, seconds: Double, tokens: Int, skipped: Int, heldOutLoss: Double? = nil,
        peakMemory: Int? = nil, earlySums: Double? = nil, hasTargets: Bool = true, withoutTargets: Int = 0
    ) {
        self.step = step
        self.loss = loss
        self.tokensPerSecond = tokensPerSecond
        self.gradientNorm = gradientNorm
        self.learningRate = learningRate
        self.utilisation = utilisation
        self.idle = idle
        self.seconds = seconds
        self.tokens = tokens
        self.skipped = skipped
        self.heldOutLoss = heldOutLoss
        self.peakMemory = peakMemory
        self.earlySums = earlySums
        self.hasTargets = hasTargets
        self.withoutTargets = withoutTargets
    }

    /// Reads a line of `metrics.jsonl`; nil for anything else. Null stands for a number that was not finite.
    package init?(json: [UInt8]) {
        guard case .object(let members)? = try? JSONParser.parse(json).value
        else { return nil }
        let fields = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
        func number(_ name: String) -> Double? {
            switch fields[name] {
            case .integer(let number): Double(number)
            case .number(let text): Double(text)
            case .null: .nan
            default: nil
            }
        }
        func integer(_ name: String) -> Int? {
            if case .integer(let number)? = fields[name] { number } else { nil }
        }
        guard let step = integer("step"), let loss = number("loss"), let speed = number("tokens_per_second"),
            let norm = number("gradient_norm"), let rate = number("learning_rate"),
            let utilisation = number("utilisation"), let idle = number("idle"), let seconds = number("seconds"),
            let tokens = integer("tokens"), let skipped = integer("skipped")
        else { return nil }
        self.init(
            step: step, loss: loss, tokensPerSecond: speed, gradientNorm: norm, learningRate: rate,
            utilisation: utilisation, idle: idle, seconds: seconds, tokens: tokens, skipped: skipped,
            heldOutLoss: number("held_out_loss"), peakMemory: integer("peak_rss_bytes"),
            earlySums: number("early_sums"), hasTargets: integer("targets") != 0,
            withoutTargets: integer("without_targets") ?? 0)
    }

    package var bitsPerByte: Double { Self.bits(loss) }

    /// Nats as bits.
    package static func bits(_ nats: Double) -> Double { nats / M_LN2 }

    /// One line of `metrics.jsonl`, without its line break. A number that is not finite is null.
    package var json: String {
        var fields: [(String, String)] = [
            ("step", String(step)),
            ("loss", JSONText.exact(loss)),
            ("bits_per_byte", JSONText.exact(bitsPerByte)),
            ("tokens_per_second", JSONText.exact(tokensPerSecond)),
            ("gradient_norm", JSONText.exact(gradientNorm)),
            ("learning_rate", JSONText.exact(learningRate)),
            ("utilisation", JSONText.exact(utilisation)),
            ("idle", JSONText.exact(idle)),
            ("seconds", JSONText.exact(seconds)),
            ("tokens", String(tokens)),
            ("skipped", String(skipped)),
        ]
        if !hasTargets { fields.append(("targets", "0")) }
        if withoutTargets > 0 { fields.append(("without_targets", String(withoutTargets))) }
        if let peakMemory { fields.append(("peak_rss_bytes", String(peakMemory))) }
        if let earlySums { fields.append(("early_sums", JSONText.exact(earlySums))) }
        if let heldOutLoss {
            fields.append(("held_out_loss", JSONText.exact(heldOutLoss)))
            fields.append(("held_out_bits_per_byte", JSONText.exact(Self.bits(heldOutLoss))))
        }
        return "{" + fields.map { "\(JSONText.quoted($0)):\($1)" }.joined(separator: ",") + "}"
    }
}
