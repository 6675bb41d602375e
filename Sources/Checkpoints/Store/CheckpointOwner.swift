/// A run in whose name a store is looked at: the checkpoints of others don't count there, and are never removed.
package struct CheckpointOwner: Sendable, Equatable {
    /// What the run writes into its manifests. Nil: the run is of an older version, whose checkpoints name none.
    package let run: Manifest.Run?
    /// Ids of runs that this one has replaced: what is left of them may go. Empty text: one of an older version.
    package let replaced: [String]

    package init(run: Manifest.Run?, replaced: [String] = []) {
        self.run = run
        self.replaced = replaced
    }

    enum Claim { case own, replaced, foreign }

    func claim(_ manifest: Manifest) -> Claim {
        if manifest.run?.id == run?.id { return .own }
        return replaced.contains(manifest.run?.id ?? "") ? .replaced : .foreign
    }
}
