/// An action that uses a unit's slot of some family at some stage.
struct SlotUse {
    /// Of the action in its rank's row.
    let position: Int
    let unit: Int
    /// The slot holds nothing before.
    let isFirst: Bool
    /// The slot holds nothing that is needed after.
    let isLast: Bool
}

extension ScheduleTable {
    /// The uses of a family's slots at a stage, in the order of its rank's row.
    /// - Parameter recomputed: `recomputedUnits()`
    func uses(of family: SlotFamily, at stage: Int, recomputed: [Bool]) -> [SlotUse] {
        let index = TableIndex(shape)
        var uses: [SlotUse] = []
        for (position, action) in rows[shape.rank(of: stage)].enumerated() where action.stage == stage {
            let isRecomputed = recomputed[index.unit(action)]
            let ends: (isFirst: Bool, isLast: Bool)?
            switch (family, action.kind) {
            case (.full, .forward): ends = (true, isRecomputed)
            case (.full, .recompute): ends = (true, false)
            case (.full, .backward), (.full, .backwardWeight): ends = (false, true)
            case (.full, .backwardInput): ends = (false, false)
            case (.light, .forward): ends = isRecomputed ? (true, false) : nil
            case (.light, .recompute): ends = (false, true)
            case (.gradient, .backward): ends = (true, true)
            case (.gradient, .backwardInput): ends = (true, false)
            case (.gradient, .backwardWeight): ends = (false, true)
            case (.light, _), (.gradient, _): ends = nil
            }
            guard let ends else { continue }
            uses.append(
                SlotUse(
                    position: position, unit: shape.unit(action.sequence, action.slice), isFirst: ends.isFirst,
                    isLast: ends.isLast))
        }
        return uses
    }
}

/// As many slots as the uses take at once, numbered from 0 and used again last in, first out.
struct FreeSlots {
    /// The slot of each use.
    let slots: [Int]
    let count: Int

    init(_ uses: [SlotUse]) {
        var pool = SlotPool()
        var held: [Int: Int] = [:]
        slots = uses.map { use in
            let slot = use.isFirst ? pool.take() : held[use.unit]!
            if use.isLast {
                held[use.unit] = nil
                pool.giveBack(slot)
            } else {
                held[use.unit] = slot
            }
            return slot
        }
        count = pool.count
    }
}

/// Slots numbered from 0, made as needed and used again last in, first out.
struct SlotPool {
    private(set) var count = 0
    private var free: [Int] = []

    mutating func take() -> Int {
        if let slot = free.popLast() { return slot }
        count += 1
        return count - 1
    }

    mutating func giveBack(_ slot: Int) { free.append(slot) }
}
