import Files
import Glibc

// The protocol. For a checkpoint of step S:
//   1. every rank: `begin`, then its files, each durable before it has its name
//   2. when all are: one rank: `commit`            the manifest, durable before it has its name
//   3. the same rank: `cleanUp`
extension CheckpointStore {
    /// Makes the folder of a step's checkpoint and takes away the manifest that an earlier, damaged one may have left
    /// there. Every rank calls it before it writes; the store's own folder must be there.
    package func begin(_ step: Int) throws {
        try Folder.make(path(step), below: directory)
        try refuseForeign(step)
        guard unlink(manifestPath(step)) == 0 || errno == ENOENT else {
            throw FileError.system("remove it", manifestPath(step))
        }
    }

    private func refuseForeign(_ step: Int) throws {
        guard let other = foreign(step) else { return }
        throw FileError(
            path: path(step), operation: "write this checkpoint",
            reason: "it is one of another run, that in \(other.run?.directory ?? "an older folder")")
    }

    /// Makes the checkpoint count: all its files must be durable. Then every reader sees it whole.
    ///
    /// - Parameter holdsCopies: a node-local store, which has some of the files and copies of others
    package func commit(_ manifest: Manifest, holdsCopies: Bool = false) throws {
        func reach(_ point: FaultPoint) throws {
            try Fault.reach(point, step: manifest.step, rank: 0, path: manifestPath(manifest.step))
        }
        try reach(.manifestBegin)
        let known = Set(manifest.files.map(\.name))
        // What an earlier attempt left here, perhaps under another layout.
        for name in try Folder.contents(path(manifest.step))
        where !known.contains(holdsCopies ? Self.original(name) : name) {
            let path = "\(path(manifest.step))/\(name)"
            guard unlink(path) == 0 || errno == ENOENT else { throw FileError.system("remove it", path) }
        }
        try SmallFile.write(manifest.json, to: manifestPath(manifest.step)) { moment in
            switch moment {
            case .half: try reach(.manifestHalf)
            case .written: break
            case .flushed: try reach(.manifestFlushed)
            }
        }
        try reach(.manifestDurable)
    }

    /// Removes what is left of a checkpoint whose ranks could not all write.
    package func abandon(_ step: Int) throws { try remove(step) }

    /// Finds out at a run's start what would stop its checkpoints.
    package func checkWritable() throws {
        try Folder.make(directory)
        let path = "\(directory)/.writable"
        _ = unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError.system("write checkpoints into it", directory) }
        close(descriptor)
        unlink(path)
    }

    /// Removes what a run that died left half written or half removed; `newest` is the step that is gone on from.
    package func cleanUpLeftovers(before newest: Int) throws {
        for step in try steps(Self.removingPrefix) { try Folder.remove(removingPath(step)) }
        for entry in try entries() where entry.step != newest {
            if case .incomplete = entry.state { try remove(entry.step) }
        }
    }

    /// Removes every checkpoint of the owner's, for a run that begins anew.
    package func removeAll() throws {
        for step in try steps(Self.prefix).reversed() where foreign(step) == nil { try remove(step) }
        for step in try steps(Self.removingPrefix) { try Folder.remove(removingPath(step)) }
    }

    /// Takes away a step's folder, complete or not. It loses its name first: in one move it stops to be a checkpoint,
    /// and what remains after a crash is known for rubbish.
    private func remove(_ step: Int, reach: (FaultPoint) throws -> Void = { _ in }) throws {
        try refuseForeign(step)
        let (old, doomed) = (path(step), removingPath(step))
        // Rubbish of the same step would be in the way of the move.
        try Folder.remove(doomed)
        guard rename(old, doomed) == 0 else {
            if errno == ENOENT { return }
            throw FileError.system("rename it to \(doomed)", old)
        }
        try Folder.sync(directory)
        try reach(.cleanupRenamed)
        try Folder.remove(doomed) { try reach(.cleanupHalf) }
        try reach(.cleanupDone)
    }

    /// Removes what need not be kept, after the checkpoint of `newest` was committed and while none is being written.
    package func cleanUp(after newest: Int, _ retention: Retention) throws {
        try cleanUp(after: newest, retention) { self.entry($0).manifest != nil }
    }

    func cleanUp(after newest: Int, _ retention: Retention, isWhole: (Int) -> Bool) throws {
        func reach(_ point: FaultPoint) throws { try Fault.reach(point, step: newest, rank: 0, path: directory) }
        try reach(.cleanupBegin)
        for step in try steps(Self.removingPrefix) { try Folder.remove(removingPath(step)) }
        let all = try steps(Self.prefix).filter { foreign($0) == nil }
        let whole = all.filter(isWhole)
        // Good ones are not rotated away by those of a run that diverges.
        let good = whole.last { (try? manifest($0))?.doubt == nil }
        let doomed = retention.expendable(whole, newest: newest).subtracting([good].compactMap { $0 })
        for step in all {
            // What is not whole and older than a whole one has no use; what is damaged and newer is kept for its owner
            // to look at.
            let isRubbish = !whole.contains(step) && step < newest
            if isRubbish || doomed.contains(step) { try remove(step, reach: reach) }
        }
    }
}
