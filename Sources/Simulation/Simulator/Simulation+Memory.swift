import Schedules

extension Simulation {
    /// Per rank the most units held at once, in units of a rank's layers: a unit at one of v stages counts 1/v. A unit is
    /// held from its forward until its weight gradient is done.
    package var peakUnits: [Double] { MemoryLimit(unlimited: table.shape).peaks(table) }

    /// Per rank the most bytes held at once: what is resident at its stages and the units at their peak.
    package var peakBytes: [Int] {
        let index = TableIndex(table.shape)
        let recomputed = table.recomputedUnits()
        return table.rows.enumerated().map { rank, row in
            let resident = table.shape.stages(on: rank).reduce(0) { $0 + costs.stages[$1].residentBytes }
            var held = resident
            var peak = resident
            for action in row {
                let stage = costs.stages[action.stage]
                let isRecomputed = recomputed[index.unit(action)]
                switch action.kind {
                case .forward: held += isRecomputed ? stage.lightBytes : stage.unitBytes
                case .recompute: held += stage.unitBytes
                case .backward, .backwardInput, .backwardWeight: break
                }
                peak = max(peak, held)
                switch action.kind {
                case .forward, .recompute: break
                case .backward: held -= stage.unitBytes + (isRecomputed ? stage.lightBytes : 0)
                case .backwardInput: held -= stage.unitBytes - stage.weightUnitBytes
                case .backwardWeight: held -= stage.weightUnitBytes + (isRecomputed ? stage.lightBytes : 0)
                }
                // An input gradient may leave more than it frees: what the weight gradient needs.
                peak = max(peak, held)
            }
            return peak
        }
    }
}
