/// Tags of the messages beside the schedule's, all above its own.
struct ReservedTags {
    let tiedEmbedding: Int
    let parameters: Int
    let trace: Int
    let generation: Int
    let checkpoint: Int
    private let sync: Int
    private let stages: Int

    init(scheduleTags: Int, stages: Int) {
        tiedEmbedding = scheduleTags
        parameters = scheduleTags + 1
        trace = scheduleTags + 2
        generation = scheduleTags + 3
        checkpoint = scheduleTags + 4
        sync = scheduleTags + 5
        self.stages = stages
    }

    /// The first of the two tags of a stage's gradient sync.
    func sync(stage: Int) -> Int { sync + 2 * stage }

    var largest: Int { sync + 2 * stages - 1 }
}
