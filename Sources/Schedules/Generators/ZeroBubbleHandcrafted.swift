extension ScheduleGenerator {
    /// ZB-H1 (arXiv 2401.10241, section 2) over slices: the warm-up of 1F1B; weight gradients apart, the first of them
    /// delayed on later ranks, so that input gradients hurry up the pipeline and weight gradients fill the cool-down.
    /// Bubble (P-1)(F+B-W) / (M(F+B+W) + (P-1)(F+B-W)); every rank holds about K+P-1 units.
    static let zeroBubbleH1 = ScheduleGenerator(
        name: "zb-h1", summary: "weight gradients apart fill the cool-down; a third of 1F1B's bubble at its peak memory"
    ) { request in
        try zeroBubble("zb-h1", request, warmUpPerRank: 1)
    }

    /// ZB-H2: twice the warm-up of ZB-H1, so that no rank waits for its first gradient either.
    /// Bubble (P-1)(F+B-2W) in place of ZB-H1's (P-1)(F+B-W); rank 0 holds about K + 2(P-1) units.
    static let zeroBubbleH2 = ScheduleGenerator(
        name: "zb-h2", summary: "weight gradients apart and a doubled warm-up; least bubble, up to twice the memory"
    ) { request in
        try zeroBubble("zb-h2", request, warmUpPerRank: 2)
    }

    private static func zeroBubble(
        _ name: String, _ request: ScheduleRequest, warmUpPerRank: Int
    ) throws -> ScheduleTable {
        try request.requireOneStagePerRank(name)
        let shape = try request.shape()
        let rows = (0..<shape.ranks).map { rank in
            var builder = RowBuilder(shape)
            let warmUp = min(shape.units, shape.slices - 1 + warmUpPerRank * (shape.ranks - 1 - rank))
            builder.forward(rank, times: warmUp)
            for step in 0..<shape.units - warmUp {
                builder.forward(rank)
                builder.backwardInput(rank)
                if step >= warmUpPerRank * rank { builder.backwardWeight(rank) }
            }
            for _ in 0..<warmUp {
                builder.backwardInput(rank)
                builder.backwardWeight(rank)
            }
            builder.backwardWeight(rank, times: shape.units - builder.weights(rank))
            return builder.row
        }
        return ScheduleTable(name: name, shape: shape, rows: rows)
    }
}
