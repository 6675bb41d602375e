import Checkpoints
import Files
import Pipeline

/// The node-local directories of a run, kept for it while it lives: the first rank of each node locks it, and looks
/// whether it holds the checkpoints of another run.
struct LocalClaim: Sendable {
    private let locks: [RunLock]

    /// All ranks call it.
    /// - Throws: `TrainingError`, on all ranks, where a directory is another run's
    init(_ settings: CheckpointSettings, _ group: RankGroup, nodes: [Int]) async throws {
        guard settings.localEvery > 0 else {
            locks = []
            return
        }
        let buddies = settings.buddies(nodes: nodes)
        var locks: [RunLock] = []
        var problems: [Int: String] = [:]
        for rank in group.ranks where buddies.isLead(rank) {
            do {
                if let lock = try Self.claim(settings, settings.localStore(rank)) { locks.append(lock) }
            } catch {
                problems[rank] = "rank \(rank): \(error)"
            }
        }
        self.locks = locks
        let found = problems
        let told = try await group.gather { rank in found[rank] }
        guard let first = told.lazy.compactMap({ $0 }).first else { return }
        throw TrainingError(first)
    }

    private static func claim(_ settings: CheckpointSettings, _ store: CheckpointStore) throws -> RunLock? {
        do {
            try settings.makeFolder(of: store)
        } catch {
            // Told again, with what it means, when there is something to write.
            warn("\(error)")
            return nil
        }
        guard let run = store.owner?.run else { return nil }
        // Nodes that share a directory are no reason to refuse: the run's own lock is elsewhere.
        let lock = try RunLock(store.directory, run: run.directory)
        if let warning = lock.warning { warn(warning) }
        let directory = RunDirectory(run.directory)
        if let other = try store.foreign() {
            throw CheckpointClaim.refusal(store, other, directory, key: "checkpoint.local_directory")
        }
        if let own = try store.manifests().last { try CheckpointClaim.refuseCopy(of: own, store, directory) }
        return lock
    }
}
