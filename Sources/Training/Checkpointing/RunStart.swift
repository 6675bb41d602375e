import Checkpoints
import Files
import Foundation

/// How a run begins in its folder: anew, or going on with what is there.
///
/// | the folder holds            | default           | --resume               | run.overwrite   |
/// |-----------------------------|-------------------|------------------------|-----------------|
/// | nothing                     | anew              | anew, and says so      | anew            |
/// | an unfinished run           | goes on           | goes on                | anew            |
/// | a finished run              | refused           | loads its end, exits 0 | anew            |
///
/// `--resume` goes over `run.overwrite`. A finished run goes on when `training.steps` has grown.
enum RunStart: Equatable, Sendable {
    case anew
    case goesOn

    /// - Throws: `FileError` or `ConfigurationError` when the folder holds what this run can't go on from.
    static func decide(
        _ configuration: RunConfiguration, path: String, store: CheckpointStore, resume: Bool
    ) throws -> RunStart {
        if configuration.run.overwrite, !resume { return .anew }
        let entries = try store.entries()
        let directory = RunDirectory(path)
        guard directory.holdsRun || !entries.isEmpty else {
            if resume { say("nothing to resume in \(path): starting at step 0") }
            return .anew
        }
        let newest = entries.compactMap(\.manifest).last
        if directory.isFinished, (newest?.step ?? configuration.training.steps) >= configuration.training.steps {
            guard resume else {
                throw FileError(
                    path: path, operation: "start a run in this folder",
                    reason:
                        "it already holds one that is finished; give another run.directory, set run.overwrite to true "
                        + "to replace it, or raise training.steps to go on")
            }
            guard newest != nil || configuration.checkpoint.localEvery > 0 else {
                throw FileError(
                    path: path, operation: "resume the run in this folder",
                    reason: "it is finished and has no checkpoint to go on from")
            }
        }
        try Continuity(newest, file: directory.configuration, configuration.architectures).check(configuration)
        return .goesOn
    }
}
