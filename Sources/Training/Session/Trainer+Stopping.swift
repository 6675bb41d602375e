import Checkpoints
import Pipeline

extension Trainer {
    /// Whether a rank was told to stop; the same on all, which all call it. For moments that are no step's boundary.
    func stopRequest() async throws -> StopRequest? {
        StopRequest(try await group.gather { _ in StopRequests.first })
    }

    /// Saves the state of a boundary at which the run stops, even where checkpoints are off, and waits until it is
    /// durable.
    /// - Returns: the step of the newest whole checkpoint
    func saveNow(
        _ position: Checkpointer.Position, _ checkpoints: Checkpointer?, _ settings: CheckpointSettings
    ) async throws -> Int? {
        if let checkpoints {
            try await checkpoints.save(position)
            try await checkpoints.finish()
            return try await whole(checkpoints)
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
        return try await whole(checkpoints)
    }

    /// The newest checkpoint, unless it has gone since it was written, with a folder that was renamed, say.
    private func whole(_ checkpoints: Checkpointer) async throws -> Int? {
        try await askRoot { checkpoints.newestIsThere } ? checkpoints.newest : nil
    }

    /// Ends the run: all ranks are at the same step.
    ///
    /// - Parameter saved: the step of the newest whole checkpoint, as far as all know
    func leave(
        _ stop: StopRequest, after step: Int, saved: Int?, _ settings: CheckpointSettings
    ) throws -> Never {
        let isSafe = step == 0 || saved == step
        let status = isSafe ? stop.reason.exitStatus : ExitStatus.failure
        if group.isRoot {
            let what =
                if saved == step, step > 0 {
                    "saved in \(settings.lastStore(0).path(step)); \(stop.reason.advice)"
                } else if step == 0 {
                    "nothing to save yet; \(stop.reason.advice)"
                } else {
                    "this step could NOT be saved; \(newest(settings))"
                }
            say("stopped \(stop.reason.text) (rank \(stop.rank)) after step \(step): \(what). Exit code \(status)")
        }
        throw SilentExit(status: status)
    }

    /// What there is to go on from, looked up.
    private func newest(_ settings: CheckpointSettings) -> String {
        guard let step = (try? settings.store.newest())?.step else {
            return "\(settings.store.directory) holds no whole checkpoint"
        }
        return
            """
            the newest checkpoint is that of step \(step): mend what was told above, and the same command goes on \
            from there
            """
    }

    /// Says when the run's folder is no longer where it was; whoever puts it back in time loses nothing.
    func watchFolder(_ store: CheckpointStore) {
        // Of a store within the folder its writer tells.
        guard let place, !store.directory.hasPrefix(path + "/") else { return }
        do { try place.folder.check() } catch {
            warn("\(error). Training goes on; what isn't saved at its end is lost")
        }
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
