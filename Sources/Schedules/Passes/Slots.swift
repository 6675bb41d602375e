/// The slots in which an action's unit is kept at its stage; -1 where it has none.
package struct ActionSlots: Equatable, Sendable {
    /// The slot of the unit's activations.
    package var full: Int
    /// The slot of a recomputed unit's input and entry state.
    package var light: Int
}

/// Stash slots for every unit at every stage, so that memory is laid out before a step and none is allocated in it.
///
/// A unit's activations take a full slot from its forward on until its weight gradient is done. A recomputed unit takes a
/// light slot (slice input and entry state) from its forward on and a full slot from its recompute on; both are given
/// back when its weight gradient is done. Slots of a stage are used again last in, first out, so that memory stays warm.
package struct Slots: Sendable {
    /// How many slots of each family a stage needs.
    package struct Counts: Equatable, Sendable {
        package var full = 0
        package var light = 0
    }

    /// Slots per stage.
    package let stages: [Counts]
    /// For each rank and position in its row, where the action finds its unit.
    package let rows: [[ActionSlots]]
    /// For each rank the most units held at once over its stages, recomputed or not.
    package let peakUnits: [Int]
    /// For each rank the most units at once whose activations are held, over its stages.
    package let peakFullUnits: [Int]

    /// Assigns the slots of `table`, which must be valid.
    package init(_ table: ScheduleTable) {
        let index = TableIndex(table.shape)
        let recomputed = table.recomputedUnits()
        var held = [ActionSlots](repeating: ActionSlots(full: -1, light: -1), count: index.size)
        var fullPools = [SlotPool](repeating: SlotPool(), count: table.shape.stages)
        var lightPools = fullPools
        var rows: [[ActionSlots]] = []
        var peakUnits: [Int] = []
        var peakFullUnits: [Int] = []
        for row in table.rows {
            var places: [ActionSlots] = []
            places.reserveCapacity(row.count)
            var (units, peak, fullUnits, fullPeak) = (0, 0, 0, 0)
            for action in row {
                let unit = index.unit(action)
                let stage = action.stage
                switch action.kind {
                case .forward:
                    if recomputed[unit] {
                        held[unit].light = lightPools[stage].take()
                    } else {
                        held[unit].full = fullPools[stage].take()
                        fullUnits += 1
                    }
                    units += 1
                case .recompute:
                    held[unit].full = fullPools[stage].take()
                    fullUnits += 1
                case .backward, .backwardInput, .backwardWeight: break
                }
                peak = max(peak, units)
                fullPeak = max(fullPeak, fullUnits)
                places.append(held[unit])
                if action.kind.givesWeightGradient {
                    fullPools[stage].giveBack(held[unit].full)
                    if recomputed[unit] { lightPools[stage].giveBack(held[unit].light) }
                    units -= 1
                    fullUnits -= 1
                }
            }
            rows.append(places)
            peakUnits.append(peak)
            peakFullUnits.append(fullPeak)
        }
        self.rows = rows
        self.peakUnits = peakUnits
        self.peakFullUnits = peakFullUnits
        stages = zip(fullPools, lightPools).map { Counts(full: $0.count, light: $1.count) }
    }
}

/// Slots numbered from 0, made as needed and used again last in, first out.
private struct SlotPool {
    private(set) var count = 0
    private var free: [Int] = []

    mutating func take() -> Int {
        if let slot = free.popLast() { return slot }
        count += 1
        return count - 1
    }

    mutating func giveBack(_ slot: Int) { free.append(slot) }
}
