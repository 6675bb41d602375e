import Hardware

/// A rank of the pipeline as its parts see it.
struct RankContext {
    let plan: PipelinePlan
    let endpoint: any Endpoint
    let team: Team
    /// What this rank is at, for a watchdog and for peers that wait for it in vain.
    let heartbeat: Heartbeat
    let replica: Int
    /// Within the replica's pipeline.
    let rank: Int
    let tags: ReservedTags

    /// - Throws: when the transport has another number of ranks than the plan, or too few tags
    init(plan: PipelinePlan, endpoint: any Endpoint, team: Team, heartbeat: Heartbeat) throws {
        guard endpoint.size == plan.world else {
            throw PipelineError("the plan has \(plan.world) ranks, the transport \(endpoint.size)")
        }
        self.plan = plan
        self.endpoint = endpoint
        self.team = team
        self.heartbeat = heartbeat
        replica = endpoint.rank / plan.ranks
        rank = endpoint.rank % plan.ranks
        tags = ReservedTags(scheduleTags: plan.messages.tagCount)
        try endpoint.requireTags(upTo: tags.largest)
    }

    /// The world's number of a rank of this replica.
    func worldRank(_ rank: Int) -> Int { plan.worldRank(replica: replica, rank: rank) }

    /// Ranks of the same stages, by replica.
    var replicas: [Int] { (0..<plan.replicas).map { plan.worldRank(replica: $0, rank: rank) } }
}
