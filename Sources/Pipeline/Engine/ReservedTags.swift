/// Tags of the messages beside the schedule's, all above its own.
struct ReservedTags {
    let tiedEmbedding: Int
    let parameters: Int
    let trace: Int
    let checkpoint: Int
    /// The first of the gradient sync's two.
    let sync: Int
    /// Parameters on their way to the replicas that don't update them.
    let updates: Int

    init(scheduleTags: Int) {
        tiedEmbedding = scheduleTags
        parameters = scheduleTags + 1
        trace = scheduleTags + 2
        checkpoint = scheduleTags + 3
        sync = scheduleTags + 4
        updates = scheduleTags + 6
    }

    var largest: Int { updates }
}
