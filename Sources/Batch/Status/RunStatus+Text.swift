import Simulation
import Training

extension RunStatus {
    /// A few lines for people.
    package var text: String {
        var lines = [("run", path), ("state", state)]
        if let jobNumber { lines.append(("job", jobLine(jobNumber))) }
        if let last = recent.last {
            var step = "\(last.step)"
            if let steps { step += " of \(steps) (\(steps > 0 ? 100 * last.step / steps : 100) %)" }
            if let silence { step += ", \(ProgressLine.duration(silence)) ago" }
            lines.append(("step", step))
            var loss = "\(Figures.number(last.loss)) nats, \(Figures.number(last.bitsPerByte)) bits per byte"
            if let heldOut, let value = heldOut.heldOutLoss {
                loss += "; held out \(Figures.number(value)) nats at step \(heldOut.step)"
            }
            if last.skipped > 0 { loss += "; \(last.skipped) steps skipped" }
            lines.append(("loss", loss))
        }
        if let pace {
            lines.append(
                ("speed", "\(Figures.number(pace.tokensPerSecond)) tokens/s, \(Figures.time(pace.seconds)) a step"))
        }
        if let checkpoint {
            lines.append(
                (
                    "checkpoint",
                    "step \(checkpoint.step), \(ProgressLine.duration(checkpoint.age)) ago, \(checkpoint.count) kept"
                ))
        } else {
            lines.append(("checkpoint", "none"))
        }
        if let timeLeft {
            var left = ProgressLine.duration(timeLeft)
            if let job, job.state == "RUNNING", let limit = job.limit, Double(limit - job.runTime) < timeLeft {
                left += ", more than the job's time limit leaves: it will be requeued or end"
            }
            lines.append(("time left", left))
        }
        return lines.map { name, text in
            name + String(repeating: " ", count: 12 - name.count) + text + "\n"
        }.joined()
    }

    private var state: String {
        if isFinished { return "finished" }
        guard let job else {
            if isMoving { return "training" }
            let goesOn = checkpoint.map { "; started again, it goes on after step \($0.step)" } ?? ""
            return recent.isEmpty ? "not begun" : "stopped" + goesOn
        }
        switch job.state {
        case "RUNNING":
            if recent.isEmpty { return "starting" }
            return isMoving ? "training" : "running, but no step for \(ProgressLine.duration(silence ?? 0))"
        case "PENDING": return job.restarts > 0 ? "waiting to go on" : "waiting to begin"
        case "COMPLETING", "REQUEUED": return "ending its turn"
        default:
            let goesOn = checkpoint.map { "; submitted again, it goes on after step \($0.step)" } ?? ""
            return "ended without finishing: the job is \(job.state)" + goesOn
        }
    }

    private func jobLine(_ number: String) -> String {
        guard let job else { return "\(number), which Slurm doesn't know (any more)" }
        var text = "\(number) \(job.state)"
        switch job.state {
        case "PENDING":
            text += " (\(job.reason))"
            if job.start != "Unknown", !job.start.isEmpty { text += ", may start at \(job.start)" }
        case "RUNNING":
            text += " on \(job.nodes) for \(ProgressLine.duration(Double(job.runTime)))"
            if let limit = job.limit {
                text += ", \(ProgressLine.duration(Double(max(0, limit - job.runTime)))) left of its limit"
            }
        default: break
        }
        if job.restarts > 0 { text += ", restart \(job.restarts)" }
        return text
    }
}
