import Checkpoints
import Files
import Foundation

/// The folder of a run, ready for it, and how the run begins there.
struct PreparedRun: Sendable {
    let directory: RunDirectory
    let start: RunStart
    /// In whose name its checkpoints are.
    let owner: CheckpointOwner
    /// The run's folder, to notice when it is moved or removed.
    let folder: HeldFolder
    /// Keep other runs out for as long as this one lives.
    private let locks: [RunLock]

    /// Makes the run's folder or finds what it holds, and leaves the resolved configuration there. One rank calls it.
    static func open(_ plan: TrainingPlan, resume: Bool) throws -> PreparedRun {
        let configuration = plan.configuration
        let path = configuration.runPath
        let place = CheckpointSettings(configuration, run: path)
        try RunPaths.check(configuration, store: place.store)
        // Before anything is looked at or removed: another run may be at work there.
        let locks = try lock(path, place)
        let directory = RunDirectory(path)
        let old = try RunIdentity(in: directory)
        let claim = try CheckpointClaim(directory, place.store, known: old, resume: resume)
        let settings = CheckpointSettings(configuration, run: path, owner: claim.identity.owner(directory))
        try claim.check(settings.store)
        let replaces = configuration.run.overwrite && !resume
        if !replaces { openLog(directory) }
        let start = try RunStart.decide(configuration, path: path, store: settings.store, resume: resume)
        try plan.text.startReading(plan.corpus)
        let holdsRun = directory.holdsRun || old != nil
        let identity = start == .anew && holdsRun ? RunIdentity(replacing: claim.identity) : claim.identity
        let folder = try HeldFolder(path)
        switch start {
        case .anew:
            if directory.holdsRun, configuration.run.overwrite { say("replacing \(path) (\(directory.summary))") }
            try settings.store.removeAll()
            _ = try RunDirectory(creating: path, overwrite: configuration.run.overwrite)
            if replaces { openLog(directory) }
            if settings.every > 0 { try settings.store.checkWritable() }
            try identity.write(in: directory)
            try SmallFile.write(configuration.toml(), to: directory.configuration)
        case .goesOn:
            try checkCorpus(plan, settings.store, directory)
            // A run that could go on is not stopped by a full disk.
            do {
                if settings.every > 0 { try settings.store.checkWritable() }
                if identity != old { try identity.write(in: directory) }
                try SmallFile.write(configuration.toml(), to: directory.configuration)
            } catch {
                warn("\(error). Training goes on")
            }
        }
        RunEnding.clear(directory)
        return PreparedRun(
            directory: directory, start: start, owner: identity.owner(directory), folder: folder, locks: locks)
    }

    /// From here on the run's folder gets what is said. Without a log the run goes on.
    private static func openLog(_ directory: RunDirectory) {
        guard !directory.isConsole(directory.log) else { return }
        do {
            Console.log(into: try RunningLog(directory.log))
        } catch {
            warn("\(error). The run goes on without a log in its folder")
        }
    }

    /// Runs with folders of their own may still share one for checkpoints.
    private static func lock(_ path: String, _ settings: CheckpointSettings) throws -> [RunLock] {
        _ = try RunDirectory(continuing: path)
        var locks = [try RunLock(path)]
        let other = settings.store.directory
        if settings.isOn || !Folder.holds(path, Folder.parent(of: other)) {
            do {
                try settings.makeFolder(of: settings.store)
            } catch {
                // Where a disk is full, a run that goes on still may; one that begins is refused later.
                warn("\(error)")
                return locks
            }
            if !Folder.areSame(path, other) { locks.append(try RunLock(other)) }
        }
        for lock in locks { if let warning = lock.warning { warn(warning) } }
        return locks
    }

    /// The text must be the one that the run has read so far.
    private static func checkCorpus(_ plan: TrainingPlan, _ store: CheckpointStore, _ directory: RunDirectory) throws {
        guard let newest = try store.newest() else { return }
        try plan.text.check(plan, against: newest, directory)
    }
}
