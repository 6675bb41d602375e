import Schedules
import Testing

struct PassTests {
    private static func tables() throws -> [ScheduleTable] {
        try ScheduleRegistry.all.flatMap { generator in
            try [(1, 2, 2), (2, 3, 2), (4, 1, 3), (4, 5, 2), (3, 1, 1)].flatMap { shape in
                let table = try generator.make(.init(ranks: shape.0, sequences: shape.1, slices: shape.2))
                return [table, table.withRecompute(), table.splittingWeightGradients().withRecompute()]
            }
        }
    }

    @Test("a slot never holds two units at once, and every action of a unit finds the same slot")
    func slots() throws {
        for table in try Self.tables() {
            let slots = Slots(table)
            for (rank, row) in table.rows.enumerated() {
                var full: [[Int]: Action] = [:]
                var light: [[Int]: Action] = [:]
                var peak = 0
                for (action, place) in zip(row, slots.rows[rank]) {
                    let unit = action.with(.forward)
                    let recomputed = row.contains(action.with(.recompute))
                    #expect(place.full < slots.stages[action.stage].full)
                    #expect(place.light < slots.stages[action.stage].light)
                    #expect(place.gradient < slots.stages[action.stage].gradient)
                    switch action.kind {
                    case .forward:
                        // A recomputed unit borrows a full slot for its forward.
                        #expect(place.full >= 0 && (place.light >= 0) == recomputed)
                        #expect(!recomputed || full[[action.stage, place.full]] == nil)
                        if recomputed {
                            #expect(light.updateValue(unit, forKey: [action.stage, place.light]) == nil)
                        } else {
                            #expect(full.updateValue(unit, forKey: [action.stage, place.full]) == nil)
                        }
                    case .recompute:
                        #expect(full.updateValue(unit, forKey: [action.stage, place.full]) == nil)
                        #expect(light.removeValue(forKey: [action.stage, place.light]) == unit)
                    case .backward, .backwardInput, .backwardWeight:
                        #expect(full[[action.stage, place.full]] == unit)
                        #expect(place.light < 0)
                    }
                    peak = max(peak, full.count)
                    if action.kind.givesWeightGradient {
                        full[[action.stage, place.full]] = nil
                    }
                }
                #expect(full.isEmpty && light.isEmpty)
                #expect(slots.peakFullUnits[rank] == peak)
                let stages = table.shape.stages(on: rank)
                #expect(stages.count > 1 || slots.stages[stages[0]].full == peak)
            }
        }
    }

    @Test("recompute keeps light slots as long as activations were kept, and one full slot when gradients are fused")
    func recomputeSlots() throws {
        let plain = try makeTable("1f1b", ranks: 4, sequences: 4, slices: 4)
        let slots = Slots(plain.withRecompute())
        #expect(slots.stages.map(\.light) == [7, 6, 5, 4])
        #expect(slots.stages.map(\.full) == [1, 1, 1, 1])
        #expect(slots.peakUnits == Slots(plain).peakUnits)
        #expect(plain.withRecompute().withRecompute() == plain.withRecompute())
    }

    @Test("merging undoes splitting")
    func mergeSplit() throws {
        let table = try makeTable("1f1b", ranks: 3, sequences: 3, slices: 2)
        let split = table.splittingWeightGradients()
        #expect(split.splitsWeightGradients && !table.splitsWeightGradients)
        #expect(split.mergingWeightGradients() == table)
    }

    @Test("every send meets exactly one receive of equal tag, direction and unit at its peer")
    func messages() throws {
        for table in try Self.tables() {
            let messages = Messages(table)
            var tags: Set<Int> = []
            var received: [Int: (rank: Int, message: Message)] = [:]
            for (rank, list) in messages.receives.enumerated() {
                for message in list {
                    #expect(received.updateValue((rank, message), forKey: message.tag) == nil)
                    #expect(message.tag >= 0 && message.tag < messages.tagCount)
                }
            }
            for (rank, list) in messages.sends.enumerated() {
                for message in list {
                    #expect(tags.insert(message.tag).inserted)
                    let match = received.removeValue(forKey: message.tag)
                    let end = try #require(match)
                    #expect(end.rank == message.peer && end.message.peer == rank)
                    #expect(end.message.direction == message.direction && end.message.boundary == message.boundary)
                    #expect(end.message.sequence == message.sequence && end.message.slice == message.slice)
                    #expect(abs(end.message.stage - message.stage) == 1)
                    let action = table.rows[rank][message.position]
                    #expect(action.sequence == message.sequence && action.stage == message.stage)
                }
                #expect(list.map(\.position) == list.map(\.position).sorted())
                #expect(messages.receives[rank].map(\.position) == messages.receives[rank].map(\.position).sorted())
            }
            #expect(received.isEmpty)
            let boundaries = (0..<table.shape.stages - 1).filter(table.shape.isMessageBoundary)
            #expect(tags.count == 2 * boundaries.count * table.shape.units)
        }
    }
}
