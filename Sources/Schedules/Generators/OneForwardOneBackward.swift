extension ScheduleGenerator {
    /// 1F1B over slices (Seq1F1B, arXiv 2406.03488): rank r runs K-1 + P-1-r forwards, then one forward and one
    /// backward in turn. K-1 of them fill the sequence whose last slice must come through before any gradient starts.
    /// Bubble (P-1)/(M+P-1); rank r holds min(K+P-1-r, M) units.
    static let oneForwardOneBackward = ScheduleGenerator(
        name: "1f1b", summary: "one forward, one backward in turn over slices; the least memory at full speed"
    ) { request in
        try request.requireOneStagePerRank("1f1b")
        let shape = try request.shape()
        let rows = (0..<shape.ranks).map { rank in
            var builder = RowBuilder(shape)
            let warmUp = min(shape.units, shape.slices - 1 + shape.ranks - 1 - rank)
            builder.forward(rank, times: warmUp)
            for _ in warmUp..<shape.units {
                builder.forward(rank)
                builder.backward(rank)
            }
            builder.backward(rank, times: warmUp)
            return builder.row
        }
        return ScheduleTable(name: "1f1b", shape: shape, rows: rows)
    }
}
