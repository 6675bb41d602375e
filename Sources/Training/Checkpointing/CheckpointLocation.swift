import Checkpoints
import Files

/// Where a path leads to: a run's folder, a directory of checkpoints, or one checkpoint in it.
package struct CheckpointLocation: Sendable {
    package let store: CheckpointStore
    /// The checkpoint that the path names, if it names one.
    package let step: Int?

    package init(_ path: String) throws {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard Folder.isFolder(path) else {
            throw FileError(
                path: path, operation: "look for checkpoints in it",
                reason:
                    """
                    \(Folder.size(ofFile: path) == nil ? "there is no such folder" : "it is a file"); give a \
                    run's directory, a directory of checkpoints, or one of its folders step-...
                    """
            )
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if let step = CheckpointStore.step(ofFolder: name) {
            store = CheckpointStore(Folder.parent(of: path))
            self.step = step
            return
        }
        step = nil
        let file = RunDirectory(path).configuration
        guard Folder.size(ofFile: file) != nil else {
            // A run that was imported and hasn't begun has its checkpoint only.
            let usual = CheckpointSettings(RunConfiguration(), run: path).store
            store = Folder.isFolder(usual.directory) ? usual : CheckpointStore(path)
            return
        }
        let configuration = try RunConfiguration.load(file: file, overrides: [])
        store = CheckpointSettings(configuration, run: path).store
    }

    /// The complete checkpoint that was asked for, or else the newest.
    package func manifest(step asked: Int?) throws -> Manifest {
        if let step = asked ?? step {
            let entry = store.entry(step)
            switch entry.state {
            case .complete(let manifest): return manifest
            case .damaged(let reason): throw ModelFileError("the checkpoint of step \(step) is damaged: \(reason)")
            case .incomplete, .foreign:
                let known = try store.entries().compactMap { $0.manifest?.step }.map(String.init)
                throw ModelFileError(
                    "\(store.directory) has no complete checkpoint of step \(step)"
                        + (known.isEmpty ? "" : "; it has those of steps \(known.joined(separator: ", "))"))
            }
        }
        guard let newest = try store.entries().compactMap(\.manifest).last else {
            throw ModelFileError("\(store.directory) has no complete checkpoint")
        }
        return newest
    }

    /// Checks each file against its digest; `report` hears of each, with what is wrong with it.
    package func verify(_ manifest: Manifest, report: (Manifest.File, (any Error)?) throws -> Void) rethrows -> Bool {
        var isWhole = true
        for file in manifest.files {
            let found = Result { try store.verify(file, step: manifest.step) }
            if case .failure(let error) = found {
                isWhole = false
                try report(file, error)
            } else {
                try report(file, nil)
            }
        }
        return isWhole
    }
}
