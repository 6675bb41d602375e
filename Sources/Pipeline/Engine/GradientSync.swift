import Model

/// Sums the gradients of a rank's stages over the replicas; each stage's sum starts as soon as its last gradient is there and goes on between
/// the kernels of the rest of the row.
final class GradientSync {
    private let sums: [Int: OrderedAllReduce]

    init(plan: PipelinePlan, endpoint: any Endpoint, rank: Int, places: [StagePlace], tags: ReservedTags) {
        let group = (0..<plan.replicas).map { plan.worldRank(replica: $0, rank: rank) }
        sums = Dictionary(
            uniqueKeysWithValues: places.map { place in
                let gradients = place.stage.store.gradients
                return (
                    place.number,
                    OrderedAllReduce(
                        endpoint: endpoint, group: group,
                        buffer: UnsafeMutableBufferPointer(start: gradients.base, count: gradients.count),
                        firstTag: tags.sync(stage: place.number))
                )
            })
    }

    func start(_ place: StagePlace) throws { try sums[place.number]?.start() }

    func progress() throws { for sum in sums.values { try sum.progress() } }

    func finish() throws { for (_, sum) in sums.sorted(by: { $0.key < $1.key }) { try sum.finish() } }
}
