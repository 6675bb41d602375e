import Checkpoints
import Files
import Foundation

/// The folder of a run, ready for it, and how the run begins there.
struct RunPlace: Sendable {
    let directory: RunDirectory
    let start: RunStart
    /// Keep other runs out for as long as this one lives.
    private let locks: [RunLock]

    /// Makes the run's folder or finds what it holds, and leaves the resolved configuration there. One rank calls it.
    static func open(_ plan: TrainingPlan, resume: Bool) throws -> RunPlace {
        let configuration = plan.configuration
        let path = configuration.runPath
        let settings = CheckpointSettings(configuration, run: path)
        // Before anything is looked at or removed: another run may be at work there.
        let locks = try lock(path, settings)
        let start = try RunStart.decide(configuration, path: path, store: settings.store, resume: resume)
        let directory: RunDirectory
        switch start {
        case .anew:
            directory = try RunDirectory(creating: path, overwrite: configuration.run.overwrite)
            try settings.store.removeAll()
            if settings.every > 0 { try settings.store.checkWritable() }
            try SmallFile.write(configuration.toml(), to: directory.configuration)
        case .goesOn:
            directory = try RunDirectory(continuing: path)
            try checkCorpus(plan, settings.store)
            // A run that could go on is not stopped by a full disk.
            do {
                if settings.every > 0 { try settings.store.checkWritable() }
                try SmallFile.write(configuration.toml(), to: directory.configuration)
            } catch {
                warn("\(error). Training goes on")
            }
        }
        return RunPlace(directory: directory, start: start, locks: locks)
    }

    /// Runs with folders of their own may still share one for checkpoints.
    private static func lock(_ path: String, _ settings: CheckpointSettings) throws -> [RunLock] {
        _ = try RunDirectory(continuing: path)
        var locks = [try RunLock(path)]
        let other = settings.store.directory
        if settings.isOn, !other.hasPrefix(path + "/") {
            try Folder.make(other)
            locks.append(try RunLock(other))
        }
        for lock in locks { if let warning = lock.warning { warn(warning) } }
        return locks
    }

    /// The text must be the one that the run has read so far.
    private static func checkCorpus(_ plan: TrainingPlan, _ store: CheckpointStore) throws {
        guard let newest = try store.entries().compactMap(\.manifest).last else { return }
        let found = CorpusFingerprint(plan.corpus).text
        guard newest.corpus.isEmpty || newest.corpus == found else {
            throw ConfigurationError([
                "data.path = \"\(plan.configuration.data.path)\" is not the text that the run in this folder was trained on: it has \(found); the "
                    + "checkpoint of step \(newest.step) says \(newest.corpus). Give the same text, or another run.directory"
            ])
        }
    }
}
