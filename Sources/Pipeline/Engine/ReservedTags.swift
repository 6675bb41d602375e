/// Tags of messages beside the schedule's, all above its own.
struct ReservedTags {
    let tiedEmbedding: Int
    let parameters: Int
    let trace: Int
    let generation: Int
    /// First tag of the gradient sync; it uses some per stage.
    let sync: Int

    init(after tagCount: Int) {
        tiedEmbedding = tagCount
        parameters = tagCount + 1
        trace = tagCount + 2
        generation = tagCount + 3
        sync = tagCount + 4
    }
}
