import Checkpoints
import Pipeline

extension Trainer {
    /// Whether a rank was told to stop; the same on all, which all call it. For moments that are no step's boundary.
    func stopRequest() async throws -> StopRequest? {
        StopRequest(try await group.exchange { _ in [Double(StopDesk.first)] }.map { Int($0[0]) })
    }

    /// Saves the state of a boundary at which the run stops, even where checkpoints are off, and waits until it is durable.
    /// - Returns: the step of the newest whole checkpoint
    func saveNow(
        _ position: Checkpointer.Position, _ checkpoints: Checkpointer?, _ settings: CheckpointSettings
    ) async throws -> Int? {
        if let checkpoints {
            try await checkpoints.save(position)
            try await checkpoints.finish()
            return checkpoints.newest
        }
        let checkpoints = try await Checkpointer(
            settings, plan: plan, group: group, nodes: host.nodes, newest: nil, metrics: directory?.metrics)
        do {
            try await checkpoints.save(position)
            try await checkpoints.finish()
        } catch {
            await checkpoints.stop()
            throw error
        }
        await checkpoints.stop()
        return checkpoints.newest
    }

    /// Ends the run: all ranks are at the same step.
    func leave(
        _ stop: StopRequest, after step: Int, saved: Int?, _ settings: CheckpointSettings
    ) throws -> Never {
        if group.isRoot {
            var text = "stopped \(stop.reason.text) (rank \(stop.rank)) after step \(step): "
            switch saved {
            case step: text += "saved in \(settings.store.path(step))"
            case let older?: text += "this step could not be saved; the newest checkpoint is that of step \(older)"
            case nil: text += step == 0 ? "nothing to save yet" : "this step could not be saved"
            }
            say(text + "; the same command goes on. Exit code \(ExitStatus.requeue)")
        }
        throw SilentExit(status: ExitStatus.requeue)
    }

    /// What `GECKO_FAULT` wants to happen to a rank when its gradients are complete.
    static func disturbance(_ rank: Int, _ step: Int) throws -> Disturbance? {
        switch Fault.action(at: .gradients, step: step, rank: rank) {
        case .nan: return .poison
        case .hang: return .hang
        default:
            try Fault.reach(.gradients, step: step, rank: rank)
            return nil
        }
    }
}
