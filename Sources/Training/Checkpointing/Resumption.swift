import Checkpoints
import Foundation
import Pipeline

/// Finds the checkpoint that a run goes on from and loads it. World rank 0 decides by what all can see; every file is checked by its digest,
/// each by one rank; a checkpoint with a fault is named and the one before it is tried.
struct Resumption {
    let store: CheckpointStore
    let group: RankGroup

    /// All ranks call it; `wanted` counts where world rank 0 lives.
    /// - Returns: what the ranks' state is now; nil when the run starts at its beginning
    func run(wanted: Bool) async throws -> Manifest? {
        var candidates = group.isRoot && wanted ? try candidates() : []
        while true {
            let proposal = Double(candidates.popLast() ?? -1)
            let step = Int(try await group.exchange { $0 == 0 ? [proposal] : [-1] }[0][0])
            guard step >= 0 else { return nil }
            guard let manifest = try await check(step) else { continue }
            try Fault.reach(.resumeChosen, step: step, rank: group.ranks[0])
            let folder = store.path(step)
            try await group.restore(
                from: { CheckpointSource(folder: folder, files: manifest.files, rank: $0) },
                optimizerStep: manifest.optimizerStep, streams: manifest.step > 0)
            try Fault.reach(.resumeLoaded, step: step, rank: group.ranks[0])
            if group.isRoot {
                do { try store.cleanUpLeftovers(before: step) } catch { warn("\(error). Training goes on") }
            }
            return manifest
        }
    }

    /// The steps of complete checkpoints, ascending; what is damaged is told.
    private func candidates() throws -> [Int] {
        let entries = try store.entries()
        for entry in entries {
            if case .damaged(let reason) = entry.state {
                say("warning: the checkpoint of step \(entry.step) cannot be used: \(reason)")
            }
        }
        let whole = entries.compactMap { $0.manifest?.step }
        guard !whole.isEmpty || entries.allSatisfy({ $0.isIncomplete }) else {
            throw TrainingError(
                "none of the checkpoints in \(store.directory) is whole (each fault is named above): mend them, or set run.overwrite to "
                    + "true (without --resume) to begin anew")
        }
        return whole
    }

    /// Checks every file of a step's checkpoint, shared among the ranks; nil (on all ranks) when one is bad.
    private func check(_ step: Int) async throws -> Manifest? {
        let store = store
        let world = group.plan.world
        let verdicts = Verdicts()
        try await group.forEachRank { rank in
            do {
                let manifest = try store.manifest(step)
                for (i, file) in manifest.files.enumerated() where i % world == rank {
                    try store.verify(file, step: step)
                }
                verdicts.add(rank, .success(manifest))
            } catch {
                verdicts.add(rank, .failure(error))
            }
        }
        for error in verdicts.errors {
            say("warning: the checkpoint of step \(step) cannot be used: \(error)")
        }
        let told = try await group.exchange { [verdicts.isGood($0) ? 1 : 0] }
        guard told.allSatisfy({ $0[0] == 1 }) else {
            if group.isRoot { say("falling back to the whole checkpoint before step \(step), if there is one") }
            return nil
        }
        return verdicts.manifest
    }
}

extension CheckpointStore.Entry {
    package var isIncomplete: Bool {
        if case .incomplete = state { true } else { false }
    }
}
