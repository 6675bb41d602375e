extension ScheduleGenerator {
    /// Interleaved 1F1B (Megatron-LM, arXiv 2104.04473) over slices: v stages a rank, laid cyclically, so that a unit
    /// reaches the last rank after 1/v of a rank's work and bubbles shrink by v, for more messages.
    ///
    /// Units go in groups through one stage of a rank after the other. A group is a number of whole sequences with at
    /// least P units where there are that many: then the first unit comes back from the last rank just as its group's
    /// last unit has passed, and no rank waits inside a group. Bubble (P-1)/(vM+P-1).
    static let interleaved = ScheduleGenerator(
        name: "interleaved", summary: "several stages a rank in turn; a v-th of the bubble, more memory and messages",
        layout: .cyclic(2)
    ) { request in
        let virtualStages = request.virtualStages ?? 2
        guard virtualStages >= 2 else {
            throw ScheduleError.unsupported(
                "schedule 'interleaved' needs at least 2 stages a rank, found \(virtualStages); use '1f1b' for one")
        }
        let ranks = try request.checkedRanks(stagesPerRank: virtualStages)
        let shape = try request.shape(placement: Placement.cyclic(ranks: ranks, virtualStages: virtualStages))
        let order = InterleavedOrder(shape)
        let rows = (0..<shape.ranks).map { rank in
            let warmUp = min(order.forwards.count, order.lead + 2 * (shape.ranks - 1 - rank))
            var builder = RowBuilder(shape)
            func stage(_ level: Int) -> Int { level * shape.ranks + rank }
            for level in order.forwards.prefix(warmUp) { builder.forward(stage(level)) }
            for (forward, backward) in zip(order.forwards.dropFirst(warmUp), order.backwards) {
                builder.forward(stage(forward))
                builder.backward(stage(backward))
            }
            for level in order.backwards.suffix(warmUp) { builder.backward(stage(level)) }
            return builder.row
        }
        return ScheduleTable(name: "interleaved", shape: shape, rows: rows)
    }
}

/// Which of a rank's stages comes when; the same on every rank.
private struct InterleavedOrder {
    /// The level (0 for a rank's first stage) of each forward.
    let forwards: [Int]
    /// The level of each backward.
    let backwards: [Int]
    /// How many forwards precede the first backward on the last rank, one fewer, so that each backward's forwards have
    /// been when it comes.
    let lead: Int

    init(_ shape: ScheduleShape) {
        let levels = shape.virtualStages
        let groups = Self.groups(shape)
        forwards = groups.flatMap { units in (0..<levels).flatMap { [Int](repeating: $0, count: units) } }
        backwards = groups.flatMap { units in
            (0..<levels).reversed().flatMap { [Int](repeating: $0, count: units) }
        }
        let order = UnitOrder(slices: shape.slices)
        var lastLevel: [Int] = []
        for (position, level) in forwards.enumerated() where level == levels - 1 { lastLevel.append(position) }
        var counts = [Int](repeating: 0, count: levels)
        var lead = 0
        for (position, level) in backwards.enumerated() {
            lead = max(lead, lastLevel[order.forwardsBefore(backward: counts[level]) - 1] - position)
            counts[level] += 1
        }
        self.lead = lead
    }

    /// Units per group: whole sequences, as even as can be.
    private static func groups(_ shape: ScheduleShape) -> [Int] {
        let sequencesPerGroup = (shape.ranks + shape.slices - 1) / shape.slices
        let count = max(1, shape.sequences / sequencesPerGroup)
        return (0..<count).map { group in
            let (begin, end) = (group * shape.sequences / count, (group + 1) * shape.sequences / count)
            return (end - begin) * shape.slices
        }
    }
}
