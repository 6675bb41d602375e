import Schedules
import Testing

/// A stash on disk, played through: what the orders leave in every slot is what the actions need there.
struct SpoolTests {
    private static func tables() throws -> [ScheduleTable] {
        try ScheduleRegistry.all.flatMap { generator in
            try [(1, 1, 9), (2, 3, 4), (3, 2, 7), (4, 2, 8)].flatMap { shape in
                let table = try generator.make(.init(ranks: shape.0, sequences: shape.1, slices: shape.2))
                let late = table.splittingWeightGradients().delayingWeightGradients()
                return [table, table.withRecompute(), late, late.withRecompute()]
            }
        }
    }

    private struct Place: Hashable {
        let family: SlotFamily
        let stage: Int
        let number: Int
    }

    @Test("every action finds its unit in its slot, within the limit", arguments: [1, 2, 3, 5])
    func everyActionFindsItsUnit(limit: Int) throws {
        for table in try Self.tables() {
            try table.validate()
            let slots = Slots(table, limit: limit)
            let unlimited = Slots(table)
            for (stage, counts) in slots.stages.enumerated() {
                for family in SlotFamily.allCases {
                    #expect(counts[family] == min(limit, unlimited.stages[stage][family]))
                    #expect((slots.extents[stage][family] > 0) == (unlimited.stages[stage][family] > limit))
                }
            }
            for (rank, row) in table.rows.enumerated() {
                play(row, slots, rank)
            }
        }
    }

    private func play(_ row: [Action], _ slots: Slots, _ rank: Int) {
        var memory: [Place: Action] = [:]
        var disk: [Place: Action] = [:]
        for (position, action) in row.enumerated() {
            let unit = action.with(.forward)
            let isRecomputed = row.contains(action.with(.recompute))
            for (family, isFirst, isLast) in uses(action, isRecomputed) {
                let slot = slots.rows[rank][position][family]
                #expect(slot >= 0 && slot < slots.stages[action.stage][family])
                let place = Place(family: family, stage: action.stage, number: slot)
                #expect(memory[place] == (isFirst ? nil : unit), "\(action) in \(place)")
                memory[place] = isLast ? nil : unit
            }
            for order in slots.orders[rank][position] {
                let slot = Place(family: order.family, stage: order.stage, number: order.slot)
                let extent = Place(family: order.family, stage: order.stage, number: order.extent)
                #expect(order.extent < slots.extents[order.stage][order.family])
                switch order.kind {
                case .store:
                    #expect(memory[slot] != nil && disk[extent] == nil)
                    disk[extent] = memory.removeValue(forKey: slot)
                case .fetch:
                    #expect(memory[slot] == nil && disk[extent] != nil)
                    memory[slot] = disk.removeValue(forKey: extent)
                }
            }
        }
        #expect(memory.isEmpty && disk.isEmpty)
    }

    /// The equations of what an action uses, apart from the pass.
    private func uses(_ action: Action, _ isRecomputed: Bool) -> [(SlotFamily, isFirst: Bool, isLast: Bool)] {
        switch action.kind {
        case .forward: isRecomputed ? [(.full, true, true), (.light, true, false)] : [(.full, true, false)]
        case .recompute: [(.full, true, false), (.light, false, true)]
        case .backward: [(.full, false, true), (.gradient, true, true)]
        case .backwardInput: [(.full, false, false), (.gradient, true, false)]
        case .backwardWeight: [(.full, false, true), (.gradient, false, true)]
        }
    }

    @Test("one rank writes in order and reads in reverse, each with an action in between")
    func inOrderAndInReverse() throws {
        let table = try makeTable("1f1b", ranks: 1, sequences: 1, slices: 8)
        let orders = Slots(table, limit: 3).orders[0]
        let stores = orders.enumerated().flatMap { at, list in list.filter { $0.kind == .store }.map { _ in at } }
        let fetches = orders.enumerated().flatMap { at, list in list.filter { $0.kind == .fetch }.map { _ in at } }
        // Slices 0...4 are stored as soon as they are there; the last three stay.
        #expect(stores == [0, 1, 2, 3, 4])
        // Positions 8...15 are the backwards of slices 7...0: slice 4 is fetched when slice 7 has gone, three actions
        // before it is needed.
        #expect(fetches == [8, 9, 10, 11, 12])
    }
}

extension ScheduleTable {
    /// Every weight gradient at the end of its row: the longest that anything can be kept.
    fileprivate func delayingWeightGradients() -> ScheduleTable {
        with(
            rows: rows.map { row in
                row.filter { $0.kind != .backwardWeight } + row.filter { $0.kind == .backwardWeight }
            })
    }
}
