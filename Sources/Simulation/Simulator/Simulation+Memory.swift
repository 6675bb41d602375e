import Schedules

extension Simulation {
    /// Per rank the most units held at once, in units of a rank's layers: a unit at one of v stages counts 1/v. The
    /// measure is that of caps in units: a unit counts whole until its input gradient and its stage's `heldShare` from
    /// there to its weight gradient. With recompute it counts whole to the end, since what it keeps, its input, it
    /// keeps to the end.
    public var peakUnits: [Double] {
        var costs = costs
        if table.usesRecompute {
            for stage in costs.stages.indices {
                costs.stages[stage].weightUnitBytes = costs.stages[stage].unitBytes
                costs.stages[stage].weightShare = 1
            }
        }
        // Sums of shares carry rounding that would make a kept cap look broken.
        return MemoryLimit(shape: table.shape, costs: costs).peaks(table).map { ($0 * 1e9).rounded() / 1e9 }
    }

    /// Per rank the most bytes held at once: what is resident at its stages and the units at their peak.
    public var peakBytes: [Int] {
        let index = TableIndex(table.shape)
        let recomputed = table.recomputedUnits()
        return table.rows.enumerated().map { rank, row in
            let resident = table.shape.stages(on: rank).reduce(0) { $0 + costs.stages[$1].residentBytes }
            var held = resident
            var peak = resident
            for action in row {
                let stage = costs.stages[action.stage]
                let isRecomputed = recomputed[index.unit(action)]
                let (isFirst, isLast) = (action.slice == 0, action.slice == table.shape.slices - 1)
                // Rows of the sequence's tokens from its first slice on, their gradients from its last slice back.
                if action.kind == .forward, isFirst { held += stage.sequenceBytes }
                if action.kind.givesInputGradient, isLast { held += stage.sequenceBytes }
                switch action.kind {
                case .forward: held += isRecomputed ? stage.lightBytes : stage.unitBytes
                case .recompute: held += stage.unitBytes
                case .backward, .backwardInput, .backwardWeight: break
                }
                peak = max(peak, held)
                switch action.kind {
                case .forward: break
                // What it was recomputed from isn't needed any more.
                case .recompute: held -= stage.lightBytes
                case .backward: held -= stage.unitBytes
                case .backwardInput: held -= stage.unitBytes - stage.weightUnitBytes
                case .backwardWeight: held -= stage.weightUnitBytes
                }
                if action.kind.givesInputGradient, isFirst { held -= 2 * stage.sequenceBytes }
                // An input gradient may leave more than it frees: what the weight gradient needs.
                peak = max(peak, held)
            }
            return peak
        }
    }
}
