import Schedules
import Testing

struct GeneratorTests {
    @Test("every schedule exists for every small shape: M < P, one slice, one sequence, one rank")
    func everyShape() throws {
        for generator in ScheduleRegistry.all {
            for ranks in 1...5 {
                for sequences in 1...4 {
                    for slices in 1...4 {
                        let table = try generator.make(.init(ranks: ranks, sequences: sequences, slices: slices))
                        #expect(table.shape.ranks == ranks && table.shape.units == sequences * slices)
                        #expect(table.name == generator.name)
                    }
                }
            }
        }
    }

    @Test("impossible requests are refused with what to change")
    func refusals() throws {
        func message(_ name: String, _ request: ScheduleRequest) -> String {
            do {
                _ = try ScheduleRegistry.generator(named: name).make(request)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message("2f2b", .init(ranks: 1, sequences: 1, slices: 1)).contains("all-forward-all-backward, 1f1b"))
        #expect(message("1f1b", .init(ranks: 0, sequences: 1, slices: 1)).contains("at least 1"))
        #expect(message("1f1b", .init(ranks: 1, sequences: 0, slices: 1)).contains("sequences"))
        #expect(message("1f1b", .init(ranks: 1, sequences: 1, slices: -3)).contains("slices"))
        #expect(message("1f1b", .init(ranks: .max, sequences: 1, slices: 1)).contains("at most"))
        #expect(message("zbv", .init(ranks: .max, sequences: 1, slices: 1)).contains("at most"))
        #expect(message("interleaved", .init(ranks: .max / 2, virtualStages: 4, sequences: 1, slices: 1)) != "")
        #expect(message("1f1b", .init(ranks: 2, sequences: .max, slices: 2)).contains("more than a table can hold"))
        #expect(message("1f1b", .init(ranks: 2, virtualStages: 2, sequences: 2, slices: 2)).contains("interleaved"))
        #expect(message("interleaved", .init(ranks: 2, virtualStages: 1, sequences: 2, slices: 2)).contains("1f1b"))
        #expect(message("zbv", .init(ranks: 2, virtualStages: 3, sequences: 2, slices: 2)).contains("2 stages a rank"))
        let tight = ScheduleRequest(ranks: 4, sequences: 4, slices: 2, unitCaps: [4, 4, 4, 4])
        #expect(message("1f1b", tight).contains("holds 5 units on rank 0, but at most 4"))
        #expect(message("memory-capped", tight) == "")
        let impossible = ScheduleRequest(ranks: 2, sequences: 4, slices: 3, unitCaps: [3, 2])
        #expect(message("memory-capped", impossible).contains("rank 1 may hold 2 units"))
    }

    @Test("names are unique and summaries are one line")
    func registry() {
        let names = ScheduleRegistry.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(ScheduleRegistry.all.allSatisfy { !$0.summary.isEmpty && !$0.summary.contains("\n") })
    }
}
