import Checkpoints
import Corpora
import Pipeline

extension Trainer {
    /// Ends the run at this boundary when the text can't be read on, or isn't the run's: in good order, all ranks at
    /// the same step.
    func endWithTheText(
        _ batches: BatchesAhead, _ told: [BoundaryNotes], _ position: Checkpointer.Position,
        _ checkpoints: Checkpointer?, _ settings: CheckpointSettings, finishLog: () -> Void
    ) async throws {
        var end = try await batches.hear(told)
        if end == nil, checkpoints != nil, position.step == plan.configuration.training.steps {
            // The last checkpoint says which text the run has read.
            end = try await batches.finishReading()
        }
        guard let end else { return }
        let saved = end.isGood ? try await saveNow(position, checkpoints, settings) : nil
        finishLog()
        guard let problem = end.problem else { throw AgreedFailure(ownProblem: nil) }
        var text = "\(problem). "
        switch saved {
        case position.step: text += "The run is saved in \(settings.lastStore(0).path(position.step))"
        case let older?: text += "This step could not be saved; the newest checkpoint is that of step \(older)"
        case nil where end.isGood: text += "This step could not be saved"
        case nil: text += "Nothing more was saved: older checkpoints are as they were"
        }
        if end.isGood { text += ". With the text as it was, the same command goes on" }
        throw AgreedFailure(ownProblem: TrainingError(text))
    }
}
