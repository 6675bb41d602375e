extension ScheduleGenerator {
    /// GPipe (arXiv 1811.06965) over slices, as TeraPipe (arXiv 2102.07988) has it: every forward, then every backward.
    /// Bubble (P-1)/(M+P-1); every rank holds all M units.
    static let allForwardAllBackward = ScheduleGenerator(
        name: "all-forward-all-backward", summary: "all forwards, then all backwards; simplest, holds every unit",
        // 1f1b takes as long and holds less.
        isPlanned: false
    ) { request in
        try request.requireOneStagePerRank("all-forward-all-backward")
        let shape = try request.shape()
        let rows = (0..<shape.ranks).map { rank in
            var builder = RowBuilder(shape)
            builder.forward(rank, times: shape.units)
            builder.backward(rank, times: shape.units)
            return builder.row
        }
        return ScheduleTable(name: "all-forward-all-backward", shape: shape, rows: rows)
    }
}
