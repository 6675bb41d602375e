import Figures
import Simulation
import Training

extension RunStatus {
    /// A few lines for people.
    package var text: String {
        var lines = [("run", path), ("state", state)]
        if let cause { lines.append(("cause", cause)) }
        if let jobNumber { lines.append(("job", jobLine(jobNumber))) }
        if let last = recent.last {
            lines.append(("step", stepLine(last)))
            lines.append(("loss", lossLine(last)))
        }
        if let pace {
            lines.append(
                ("speed", "\(pace.tokensPerSecond.significant) tokens/s, \(pace.seconds.asTime) a step"))
        }
        if let checkpoint {
            lines.append(("checkpoint", "step \(checkpoint.step)\(Self.ago(checkpoint.age)), \(checkpoint.count) kept"))
        } else {
            lines.append(("checkpoint", "none"))
        }
        if let timeLeft {
            var left = timeLeft.asClock
            if let job, job.state == "RUNNING", let limit = job.limit, Double(limit - job.runTime) < timeLeft {
                left += ", more than the job's time limit leaves: it will be requeued or end"
            }
            lines.append(("time left", left))
        }
        lines += problems.map { ("unreadable", $0) }
        return lines.map { name, text in
            name + String(repeating: " ", count: 12 - name.count) + text + "\n"
        }.joined()
    }

    private func stepLine(_ last: StepMetrics) -> String {
        var text = "\(last.step)"
        if let steps {
            let share = steps > 0 ? min(100, max(0, 100 * Double(last.step) / Double(steps))) : 100
            text += " of \(steps) (\(Int(share)) %)"
        }
        return text + Self.ago(silence)
    }

    private func lossLine(_ last: StepMetrics) -> String {
        var text =
            last.loss.isFinite
            ? "\(last.loss.significant) nats, \(last.bitsPerByte.significant) bits per byte"
            : "not finite"
        if let heldOut, let value = heldOut.heldOutLoss {
            text +=
                "; held out \(value.isFinite ? "\(value.significant) nats" : "not finite") at step \(heldOut.step)"
        }
        if last.skipped > 0 { text += "; \(last.skipped) steps skipped" }
        return text
    }

    private static func ago(_ age: Double?) -> String {
        age.map { ", \($0.asClock) ago" } ?? ", at a time that lies ahead (the clocks disagree)"
    }

    private func jobLine(_ number: String) -> String {
        switch answer {
        case .job(let job): return describe(job, number)
        case .unknown?: return "\(number), which Slurm doesn't know (any more)"
        case .silent(let reason)?: return "\(number); Slurm gives no answer: \(reason)"
        case .noSlurm?, nil: return "\(number); there is no Slurm here to ask"
        }
    }

    private func describe(_ job: SlurmJob, _ number: String) -> String {
        var text = "\(number) \(job.state)"
        switch job.state {
        case "PENDING":
            text += " (\(job.reason))"
            if job.start != "Unknown", !job.start.isEmpty { text += ", may start at \(job.start)" }
        case "RUNNING":
            text += " on \(job.nodes) for \(Double(job.runTime).asClock)"
            if let limit = job.limit {
                text += ", \(Double(max(0, limit - job.runTime)).asClock) left of its limit"
            }
        default:
            if !["", "None", "(null)"].contains(job.reason) { text += " (\(job.reason))" }
        }
        if job.restarts > 0 { text += ", restart \(job.restarts)" }
        return text
    }
}
