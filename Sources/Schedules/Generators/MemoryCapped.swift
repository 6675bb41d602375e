extension ScheduleGenerator {
    /// 1F1B over slices that never holds more units on a rank than its cap.
    ///
    /// Every rank must hold at least the K slices of a sequence, since no gradient starts before the last of them has
    /// reached the last stage. With K+x units on every rank (x <= P-1, x < K, N >= 2) the makespan is
    /// (f+b)(M + P-1 + (N-1)(P-1-x)), the least there is. Without a cap K units are held.
    ///
    /// The forwards of rank r run K+x-r ahead of its backwards: x = P-1 is 1F1B. With fewer, the later ranks run short
    /// of forwards at the end of each sequence and wait there until the last slice of the next one has come.
    public static let memoryCapped = ScheduleGenerator(
        name: "memory-capped", summary: "1f1b that never holds more units than a cap; without one the fewest possible",
        // Without a cap, and the planner gives none, it idles most.
        isPlanned: false
    ) { request in
        try request.requireOneStagePerRank("memory-capped")
        let shape = try request.shape()
        let caps = request.unitCaps ?? [Int](repeating: shape.slices, count: shape.ranks)
        try request.requireEnoughMemory(shape)
        let order = UnitOrder(slices: shape.slices)
        // Rank 0's lead; each later rank's is one less, as its backwards come and its forwards go one rank earlier.
        let lead = caps.enumerated().reduce(shape.slices + shape.ranks - 1) { min($0, $1.element + $1.offset) }
        let rows = (0..<shape.ranks).map { rank in
            var builder = RowBuilder(shape)
            for backward in 0..<shape.units {
                let needed = order.forwardsBefore(backward: backward)
                let forwards = min(shape.units, max(needed, backward + lead - rank))
                builder.forward(rank, times: forwards - builder.forwards(rank))
                builder.backward(rank)
            }
            return builder.row
        }
        return ScheduleTable(name: "memory-capped", shape: shape, rows: rows)
    }
}
