import Hardware

/// What a rank shares with the same rank of the other replicas: the sums of gradients, and where each replica updates a
/// part of the parameters only, what the others have updated.
final class ReplicaSync: GradientObserver {
    private let team: Team
    private let progress: MessageProgress
    private let gradients: GradientSync
    /// Set when each replica updates a part of the parameters only.
    private let updates: PartExchange?

    /// Nil with one replica.
    init?(_ rank: RankContext, _ stages: RankStages, _ progress: MessageProgress) {
        let plan = rank.plan
        guard plan.replicas > 1 else { return nil }
        team = rank.team
        self.progress = progress
        let layout = SyncLayout(plan, rank: rank.rank)
        gradients = GradientSync(
            layout, endpoint: rank.endpoint, group: rank.replicas, gradients: { stages[$0].stage.store.gradients },
            returns: plan.owners == nil, tag: rank.tags.sync)
        updates =
            plan.owners == nil
            ? nil
            : PartExchange(
                endpoint: rank.endpoint, group: rank.replicas, parts: layout.pieces { stages[$0].stage.store.values },
                tag: rank.tags.updates)
        progress.serve(gradients)
        for stage in stages.all { stage.observer = self }
    }

    func blockIsFinal(_ block: Int, of stage: Int) {
        progress.attempt { try gradients.complete(block: block, of: stage) }
    }

    /// Returns when the sums of all gradients are here.
    func finishGradients() throws { try team.alone(as: .communication) { try gradients.finish() } }

    /// The share of what this rank sums that was summed before its last block's gradients were complete.
    var earlyShare: Double { gradients.earlyShare }

    /// Brings what each replica has updated to all.
    func shareUpdates() throws {
        if let updates { try team.alone(as: .communication) { try updates.run() } }
    }
}
