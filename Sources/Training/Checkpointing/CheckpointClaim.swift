import Checkpoints
import Files

/// Whose the checkpoints are that a run finds in its checkpoint.directory: its own, or those of another run, which it
/// neither goes on from nor removes.
struct CheckpointClaim {
    /// The run's, new where the folder tells of none.
    let identity: RunIdentity
    private let directory: RunDirectory
    private let resume: Bool

    /// - Parameters:
    ///   - known: what the run's folder says
    ///   - resume: the user wants to go on, so the checkpoints of a run whose folder had this very name are meant
    init(_ directory: RunDirectory, _ store: CheckpointStore, known: RunIdentity?, resume: Bool) throws {
        self.directory = directory
        self.resume = resume
        if let known {
            identity = known
            return
        }
        guard let newest = try store.newest() else {
            identity = directory.holdsRun ? RunIdentity.older : RunIdentity(replacing: nil)
            return
        }
        let isInside = Folder.holds(directory.path, store.directory)
        let isMeant =
            isInside
            || (newest.run.map { resume && $0.directory == Folder.realPath(directory.path) } ?? directory.holdsRun)
        identity = isMeant ? RunIdentity(of: newest) : RunIdentity(replacing: nil)
    }

    /// - Parameter store: in the name of the identity
    /// - Throws: `FileError` where another run's checkpoints are in the way
    func check(_ store: CheckpointStore) throws {
        if let other = try store.foreign() {
            throw Self.refusal(store, other, directory, key: "checkpoint.directory")
        }
        if let own = try store.newest() { try Self.refuseCopy(of: own, store, directory) }
    }

    /// A copy of a run's folder is the same run; both may go on, but not into one store.
    static func refuseCopy(of own: Manifest, _ store: CheckpointStore, _ directory: RunDirectory) throws {
        guard let run = own.run, let original = original(run, directory),
            !Folder.holds(directory.path, store.directory)
        else { return }
        throw FileError(
            path: store.directory, operation: "save this run's checkpoints there",
            reason:
                "\(directory.path) is a copy of \(original), and both would write into this one folder. Give the copy "
                + "a "
                + "checkpoint.directory of its own, such as {run}/checkpoints, and put a copy of the checkpoints there")
    }

    static func refusal(
        _ store: CheckpointStore, _ other: Manifest, _ directory: RunDirectory, key: String
    ) -> FileError {
        let whose = other.run.map { "of the run in \($0.directory)" } ?? "of another run, begun by an older version"
        var ways = [
            "give this run a \(key) of its own, such as \(store.directory)/{run}",
            "to begin with the other run's weights, use gecko checkpoint export and import",
        ]
        if let run = other.run, run.directory == Folder.realPath(directory.path) {
            ways.append(
                """
                that run's folder had this very name and is gone: start with --resume to go on with it, or remove \
                its checkpoints
                """
            )
        }
        return FileError(
            path: store.directory, operation: "save this run's checkpoints there",
            reason:
                """
                it holds the checkpoints \(whose), the newest of step \(other.step). What helps: \
                \(ways.joined(separator: "; "))
                """
        )
    }

    /// The folder that this one is a copy of: it still is where the checkpoints say, and says the same identity.
    private static func original(_ run: Manifest.Run, _ directory: RunDirectory) -> String? {
        let other = RunDirectory(run.directory)
        guard !Folder.areSame(other.path, directory.path),
            let identity = try? RunIdentity(in: other), identity.id == run.id
        else { return nil }
        return run.directory
    }
}
