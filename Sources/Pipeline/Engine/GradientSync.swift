/// TEMPORARY until OrderedAllReduce lands
final class GradientSync {
    init(plan: PipelinePlan, endpoint: any Endpoint, rank: Int, places: [StagePlace], tags: ReservedTags) throws {}
    func start(_ place: StagePlace) throws {}
    func progress() throws {}
    func finish() throws {}
}
