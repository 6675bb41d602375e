import Figures
import Training

extension RunStatus {
    /// How the run stands, and what to do about it: one sentence.
    package var state: String {
        if isTraining { return training }
        if let job, job.isAlive { return queued(job) }
        return ended
    }

    /// Why it isn't at work or at its end; nil when there is nothing to tell.
    package var cause: String? {
        guard !isTraining, !isDone, job.map({ !$0.isAlive }) ?? true else { return nil }
        let own: String? =
            switch (ending?.kind, holder) {
            case (.failed?, _), (.stopped?, _): ending?.cause.split(whereSeparator: \.isNewline).joined(separator: " ")
            case (nil, .dead(let owner)): "\(owner), left no word: it was killed, crashed, or its node was lost"
            case (nil, .unknown(let reason)): "its lock can't be looked at (\(reason)), and no steps come"
            default: nil
            }
        let causes = [own, job.flatMap { Self.cause($0.state, hasSaved: ending?.kind == .stopped) }].compactMap(\.self)
        return causes.isEmpty ? nil : causes.joined(separator: "; ")
    }

    /// The model is there and no later turn failed.
    private var isDone: Bool { ending.map { $0.kind == .finished } ?? isFinished }

    private var training: String {
        if ending != nil { return isDone ? "finished" : "ending its turn" }
        if ["COMPLETING", "SIGNALING", "REQUEUED"].contains(job?.state) { return "ending its turn" }
        if recent.isEmpty { return "starting" }
        if isMoving { return "training" }
        return "running, but no step for \((silence ?? 0).asClock): see the ranks' logs"
    }

    private func queued(_ job: SlurmJob) -> String {
        switch job.state {
        case "PENDING", "REQUEUED", "REQUEUE_FED", "CONFIGURING":
            let begun = job.restarts > 0 || !recent.isEmpty || checkpoint != nil
            return (begun ? "waiting to go on" : "waiting to begin") + (begun ? after : "")
        case "REQUEUE_HOLD", "SPECIAL_EXIT": return "held in the queue; scontrol release \(job.number) lets it go on"
        case "SUSPENDED", "STOPPED": return "suspended by Slurm; scontrol resume \(job.number) lets it go on"
        case "COMPLETING", "SIGNALING", "STAGE_OUT": return isDone ? "finished" : "ending its turn"
        default:
            if isDone { return "finished" }
            if let silence, job.runTime > 300, silence > 300 || recent.isEmpty {
                return "the job runs, but no process holds the run: see job.log; scancel \(job.number) ends it"
            }
            return "starting, or ending its turn: the job runs, and no process holds the run"
        }
    }

    private var ended: String {
        switch ending?.kind {
        case .finished?: return isFinished ? "finished" : "finished, but its model.safetensors is gone"
        case .stopped?: return "stopped by a signal, saved" + again
        case .failed?:
            let code = ending?.exitCode ?? 1
            return "failed with exit code \(code)" + (code == Int(ExitStatus.lostPeer) ? again : mended)
        case nil: break
        }
        if isFinished { return "finished" }
        switch holder {
        case .dead: return "stopped (no process holds it)" + again
        case .unknown: return "stopped, as it seems" + again
        case .nobody, .process:
            return recent.isEmpty && checkpoint == nil ? "not begun" : "stopped (no process holds it)" + again
        }
    }

    private var verb: String { jobNumber == nil ? "started again" : "submitted again" }

    private var again: String {
        checkpoint.map { "; \(verb), it goes on after step \($0.step)" }
            ?? "; \(verb), it begins at step 0: there is no checkpoint"
    }

    private var mended: String {
        "; see the cause" + (checkpoint.map { ", the newest checkpoint is that of step \($0.step)" } ?? "")
    }

    private var after: String { checkpoint.map { " after step \($0.step)" } ?? "" }

    /// What the end of a job says of its run; nil: nothing.
    private static func cause(_ state: String, hasSaved: Bool) -> String? {
        switch state {
        case "COMPLETED": nil
        case "CANCELLED": "the job was cancelled"
        case "TIMEOUT":
            "the job's time limit ended it" + (hasSaved ? "" : " before it had saved: a longer --warning helps")
        case "NODE_FAIL": "a node of the job failed"
        case "BOOT_FAIL": "a node of the job did not boot"
        case "OUT_OF_MEMORY": "the job ran out of memory: more nodes, pipeline.recompute or shorter slices need less"
        case "PREEMPTED": "another job took its nodes"
        case "DEADLINE": "the job could not end before its deadline"
        case "FAILED": "the job FAILED: job.log says why"
        case "REVOKED": "another cluster has the job"
        default: "the job is \(state)"
        }
    }
}
