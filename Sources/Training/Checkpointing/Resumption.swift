import Checkpoints
import Foundation
import Hardware
import Pipeline

/// Finds the checkpoint that a run goes on from and loads it. World rank 0 decides by what all can see; every file is
/// checked by its digest; a checkpoint with a fault is named and the one before it is tried.
struct Resumption {
    let settings: CheckpointSettings
    let group: RankGroup
    /// The node of every world rank.
    let nodes: [Int]
    let configuration: RunConfiguration

    /// All ranks call it; `wanted` counts where world rank 0 lives.
    /// - Returns: the checkpoint that all ranks have loaded; nil when the run starts at its beginning
    func run(wanted: Bool) async throws -> CheckpointFiles? {
        let isWanted = try await group.broadcast(wanted)
        guard isWanted else {
            try clearLocal()
            return nil
        }
        let local =
            settings.localEvery > 0
            ? LocalCheckpoints(settings: settings, group: group, nodes: nodes, configuration: configuration) : nil
        let localSteps: [Int] = try await local?.steps() ?? []
        var (candidates, hasDamage) = try candidates(localSteps)
        while true {
            let proposal: ResumeProposal = candidates.popLast().map { .candidate($0) } ?? .nothing(hasDamage: hasDamage)
            let candidate: ResumeCandidate
            switch try await group.broadcast(proposal) {
            case .nothing(hasDamage: false): return nil
            case .nothing(hasDamage: true): throw nothingIsWhole
            case .candidate(let told): candidate = told
            }
            let step = candidate.step
            let start = MonotonicClock.seconds
            let files: CheckpointFiles?
            if candidate.level == .local {
                files = try await local?.gather(step)
            } else {
                files = try await shared(step)
            }
            if var files {
                files.checkSeconds = MonotonicClock.seconds - start
                try await load(files)
                files.loadSeconds = MonotonicClock.seconds - start - files.checkSeconds
                return files
            }
            hasDamage = true
            if group.isRoot, let next = candidates.last { say("falling back to the checkpoint of step \(next.step)") }
        }
    }

    /// A run that begins anew leaves nothing of an older one on any node, where it could be taken for its own later.
    private func clearLocal() throws {
        guard settings.localEvery > 0 else { return }
        let buddies = settings.buddies(nodes: nodes)
        for rank in group.ranks where buddies.isLead(rank) { try settings.localStore(rank).removeAll() }
    }

    private var nothingIsWhole: TrainingError {
        TrainingError(
            "none of the checkpoints in \(settings.store.directory) is whole (each fault is named above): mend them, "
                + "or set run.overwrite to true (without --resume) to begin anew")
    }

    private func load(_ files: CheckpointFiles) async throws {
        let manifest = files.manifest
        try Fault.reach(.resumeChosen, step: manifest.step, rank: group.ranks[0])
        try await group.restore(
            from: { CheckpointSource(files.paths(for: $0)) }, optimizerStep: manifest.progress.optimizerStep,
            streams: manifest.step > 0)
        try Fault.reach(.resumeLoaded, step: manifest.step, rank: group.ranks[0])
        guard group.isRoot else { return }
        do {
            try settings.store.cleanUpLeftovers(before: manifest.step)
        } catch {
            warn("\(error). Training goes on")
        }
    }

    /// Checkpoints that look complete, the best last, and whether others don't; that is told.
    private func candidates(_ localSteps: [Int]) throws -> ([ResumeCandidate], hasDamage: Bool) {
        guard group.isRoot else { return ([], false) }
        let entries = try settings.store.entries()
        for entry in entries {
            if case .damaged(let reason) = entry.state {
                warn("the checkpoint of step \(entry.step) cannot be used: \(reason)")
            }
        }
        let whole = entries.compactMap { $0.manifest?.step }
        let all =
            whole.map { ResumeCandidate(step: $0, level: .shared) }
            + localSteps.filter { !whole.contains($0) }.map { ResumeCandidate(step: $0, level: .local) }
        return (all.sorted { $0.step < $1.step }, !entries.allSatisfy { $0.isIncomplete || $0.manifest != nil })
    }

    /// Checks every file of a step's shared checkpoint, each by one rank; nil (on all ranks) when one is bad.
    private func shared(_ step: Int) async throws -> CheckpointFiles? {
        let store = settings.store
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
            warn("the checkpoint of step \(step) cannot be used: \(error)")
        }
        let told = try await group.gather { verdicts.isGood($0) }
        guard told.allSatisfy({ $0 }), let manifest = verdicts.manifest else { return nil }
        let folder = store.path(step)
        return CheckpointFiles(manifest: manifest, origin: folder, path: { _, file in "\(folder)/\(file.name)" })
    }
}

/// A checkpoint's manifest, and where each rank finds its files.
struct CheckpointFiles: Sendable {
    let manifest: Manifest
    /// Where they are, for people.
    let origin: String
    /// What looking at every byte took, and what loading it.
    var checkSeconds = 0.0
    var loadSeconds = 0.0
    /// Nil: not on this rank's node.
    let path: @Sendable (_ rank: Int, _ file: Manifest.File) -> String?

    /// A rank's own files first: there it finds everything when the layout hasn't changed.
    func paths(for rank: Int) -> [String] {
        (manifest.files.filter { $0.rank == rank } + manifest.files.filter { $0.rank != rank }).compactMap {
            path(rank, $0)
        }
    }
}

extension CheckpointStore.Entry {
    package var isIncomplete: Bool {
        if case .incomplete = state { true } else { false }
    }
}
