/// What a stage keeps of a unit (a slice of a sequence), each kind in slots of its own.
public enum SlotFamily: Int, CaseIterable, Sendable {
    /// The activations.
    case full
    /// A recomputed unit's input and entry state.
    case light
    /// What an input gradient leaves for the weight gradient, beside the activations.
    case gradient
}

/// A number for each family of slots.
public struct SlotNumbers: Equatable, Sendable {
    /// Slots for all activations of a slice.
    public var full: Int
    /// Slots for a slice's input and the state at its entry.
    public var light: Int
    /// Slots for what a weight gradient still needs.
    public var gradient: Int

    /// Numbers of slots of each family.
    public init(full: Int = 0, light: Int = 0, gradient: Int = 0) {
        self.full = full
        self.light = light
        self.gradient = gradient
    }

    /// The number of slots of a family.
    public subscript(_ family: SlotFamily) -> Int {
        get {
            switch family {
            case .full: full
            case .light: light
            case .gradient: gradient
            }
        }
        set {
            switch family {
            case .full: full = newValue
            case .light: light = newValue
            case .gradient: gradient = newValue
            }
        }
    }

    /// Where nothing is kept.
    static let none = SlotNumbers(full: -1, light: -1, gradient: -1)
}

/// Slots for all that every stage keeps of its units, so that memory is laid out before a step and none is allocated in
/// it.
///
/// A unit's activations take a full slot from its forward on until its weight gradient is done. A recomputed unit takes
/// a light slot from its forward to its recompute, a full slot for the time of its forward, and one from its recompute
/// on. An input gradient takes a gradient slot until the weight gradient is done. Slots of a stage are used again last
/// in, first out, so that memory stays warm.
///
/// With a limit there are at most so many slots of a family at a stage. What finds no place is spooled: stored on a
/// disk between two of its uses and fetched in time (`SpooledSlots`). No schedule is known here: the table says when a
/// unit is needed next.
public struct Slots: Sendable {
    /// Slots per stage.
    public let stages: [SlotNumbers]
    /// For each rank and position in its row, the slots in which the action finds its unit; -1 where it has none.
    public let rows: [[SlotNumbers]]
    /// For each rank the most units held at once over its stages, recomputed or not.
    public let peakUnits: [Int]
    /// For each rank the most units at once whose activations are held, over its stages, in slots or spooled.
    public let peakFullUnits: [Int]
    /// For each rank and position in its row, what to store and fetch once the action is done, in this order. Empty
    /// without a limit.
    public let orders: [[[SpoolOrder]]]
    /// Places on disk, per stage.
    public let extents: [SlotNumbers]

    /// Slots of a family at a stage when the rest is spooled: one is computed in, one is being stored or was just
    /// fetched, one is under way.
    public static let resident = 3

    /// Assigns the slots of `table`, which must be valid.
    ///
    /// - Parameter limit: most slots of a family at a stage; nil for as many as it takes
    public init(_ table: ScheduleTable, limit: Int? = nil) {
        let shape = table.shape
        let recomputed = table.recomputedUnits()
        var stages = [SlotNumbers](repeating: SlotNumbers(), count: shape.stages)
        var extents = stages
        var rows = table.rows.map { [SlotNumbers](repeating: .none, count: $0.count) }
        var orders = table.rows.map { [[SpoolOrder]](repeating: [], count: limit == nil ? 0 : $0.count) }
        for stage in 0..<shape.stages {
            let rank = shape.rank(of: stage)
            for family in SlotFamily.allCases {
                let uses = table.uses(of: family, at: stage, recomputed: recomputed)
                let free = FreeSlots(uses)
                stages[stage][family] = free.count
                var slots = free.slots
                if let limit, free.count > limit {
                    let spooled = SpooledSlots(uses, limit: limit)
                    slots = spooled.slots
                    stages[stage][family] = limit
                    extents[stage][family] = spooled.extents
                    for order in spooled.orders {
                        orders[rank][order.position].append(
                            SpoolOrder(
                                kind: order.kind, family: family, stage: stage, slot: order.slot, extent: order.extent))
                    }
                }
                for (use, slot) in zip(uses, slots) { rows[rank][use.position][family] = slot }
            }
        }
        self.stages = stages
        self.extents = extents
        self.rows = rows
        self.orders = orders
        (peakUnits, peakFullUnits) = table.peakUnits()
    }
}

extension ScheduleTable {
    /// For each rank the most units held at once, and the most of them whose activations are held beyond an action.
    fileprivate func peakUnits() -> (all: [Int], full: [Int]) {
        let index = TableIndex(shape)
        let recomputed = recomputedUnits()
        var result: (all: [Int], full: [Int]) = ([], [])
        for row in rows {
            var (units, peak, fullUnits, fullPeak) = (0, 0, 0, 0)
            for action in row {
                if action.kind == .forward { units += 1 }
                if action.kind == .recompute || (action.kind == .forward && !recomputed[index.unit(action)]) {
                    fullUnits += 1
                }
                peak = max(peak, units)
                fullPeak = max(fullPeak, fullUnits)
                if action.kind.givesWeightGradient {
                    units -= 1
                    fullUnits -= 1
                }
            }
            result.all.append(peak)
            result.full.append(fullPeak)
        }
        return result
    }
}
