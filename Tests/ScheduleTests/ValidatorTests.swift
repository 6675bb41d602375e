import Schedules
import Testing

struct ValidatorTests {
    /// Tables of every schedule, with and without recompute and split weight gradients.
    private static func tables(ranks: Int, sequences: Int, slices: Int) throws -> [ScheduleTable] {
        try ScheduleRegistry.all.flatMap { generator in
            let table = try generator.make(.init(ranks: ranks, sequences: sequences, slices: slices))
            return [table, table.splittingWeightGradients(), table.withRecompute(), table.mergingWeightGradients()]
        }
    }

    private static let shapes = [(1, 1, 1), (2, 1, 3), (3, 2, 2), (4, 3, 1), (4, 1, 2)]

    private static func all() throws -> [ScheduleTable] {
        try shapes.flatMap { try tables(ranks: $0.0, sequences: $0.1, slices: $0.2) }
    }

    private static func fault(_ table: ScheduleTable, rows: [[Action]]) -> ScheduleError? {
        do {
            try table.with(rows: rows).validate()
            return nil
        } catch { return error as? ScheduleError }
    }

    @Test("every generated table, also after every pass, is legal")
    func legal() throws {
        for table in try Self.all() {
            try table.validate()
            #expect(table.walk { _, _, _, _ in }.isEmpty)
        }
    }

    @Test("dropping any action is refused, and the report names it")
    func dropped() throws {
        for table in try Self.all() {
            for (rank, row) in table.rows.enumerated() {
                for position in row.indices where row[position].kind != .recompute {
                    var rows = table.rows
                    let lost = rows[rank].remove(at: position)
                    let error = Self.fault(table, rows: rows)
                    #expect(error?.fault == .missing)
                    #expect(error?.rank == rank)
                    #expect(error.map { $0.action?.stage == lost.stage } ?? false)
                    #expect(
                        error.map { $0.action?.sequence == lost.sequence && $0.action?.slice == lost.slice } ?? false)
                    #expect(error.map { $0.description.contains("^") } ?? false)
                }
            }
        }
    }

    @Test("doubling any action anywhere in its row is refused")
    func doubled() throws {
        var random = SeededGenerator(seed: 1)
        for table in try Self.all() {
            for (rank, row) in table.rows.enumerated() {
                for position in row.indices {
                    var rows = table.rows
                    rows[rank].insert(row[position], at: .random(in: 0...row.count, using: &random))
                    let error = Self.fault(table, rows: rows)
                    #expect(error?.fault == .doubled)
                    #expect(error?.action == row[position])
                }
            }
        }
    }

    @Test("moving an action to another rank, or giving it another stage, is refused")
    func wrongRank() throws {
        var random = SeededGenerator(seed: 2)
        for table in try Self.all() where table.shape.ranks > 1 {
            for (rank, row) in table.rows.enumerated() {
                for position in row.indices {
                    var rows = table.rows
                    let moved = rows[rank].remove(at: position)
                    let other = (rank + .random(in: 1..<table.shape.ranks, using: &random)) % table.shape.ranks
                    rows[other].insert(moved, at: .random(in: 0...rows[other].count, using: &random))
                    #expect(Self.fault(table, rows: rows)?.fault == .wrongRank)

                    rows = table.rows
                    let stage = (moved.stage + .random(in: 1..<table.shape.stages, using: &random)) % table.shape.stages
                    rows[rank][position] = Action(
                        moved.kind, stage: stage, sequence: moved.sequence, slice: moved.slice)
                    let expected: ScheduleError.Fault =
                        table.shape.rank(of: stage) == rank ? .doubled : .wrongRank
                    #expect(Self.fault(table, rows: rows)?.fault == expected)
                }
            }
        }
    }

    @Test("swapping two actions of a row is refused exactly if one depends on the other or a sum changes its order")
    func swapped() throws {
        var refused = 0
        for table in try Self.all() {
            for (rank, row) in table.rows.enumerated() {
                for first in row.indices {
                    for second in row.indices where second > first {
                        var rows = table.rows
                        rows[rank].swapAt(first, second)
                        let error = Self.fault(table, rows: rows)
                        #expect((error == nil) == Self.isLegalByDefinition(table.with(rows: rows)))
                        if let error {
                            refused += 1
                            #expect([.dependency, .deadlock, .summationOrder].contains(error.fault))
                            #expect(error.description.contains("^"))
                        }
                    }
                }
            }
        }
        #expect(refused > 1000)
    }

    /// Legality restated from scratch and without regard to speed: the orders of sums, and rounds in which every rank
    /// whose next action has all that it needs advances by one.
    private static func isLegalByDefinition(_ table: ScheduleTable) -> Bool {
        let shape = table.shape
        for row in table.rows {
            for stage in 0..<shape.stages {
                for kinds in [[ActionKind.backward, .backwardInput], [.backward, .backwardWeight]] {
                    let order = row.filter { $0.stage == stage && kinds.contains($0.kind) }
                        .map { [$0.sequence, -$0.slice] }
                    if !zip(order, order.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) }) { return false }
                }
            }
        }
        let everything = Set(table.rows.joined())
        var done: Set<Action> = []
        var rest = table.rows.map { $0[...] }
        func isDone(_ kinds: [ActionKind], _ stage: Int, _ sequence: Int, _ slice: Int) -> Bool {
            kinds.contains { done.contains(Action($0, stage: stage, sequence: sequence, slice: slice)) }
        }
        func ready(_ a: Action) -> Bool {
            let recompute = a.with(.recompute)
            switch a.kind {
            case .forward:
                return (a.stage == 0 || isDone([.forward], a.stage - 1, a.sequence, a.slice))
                    && (a.slice == 0 || isDone([.forward], a.stage, a.sequence, a.slice - 1))
            case .recompute: return done.contains(a.with(.forward))
            case .backwardWeight: return done.contains(a.with(.backwardInput))
            case .backward, .backwardInput:
                let kinds: [ActionKind] = [.backward, .backwardInput]
                return (everything.contains(recompute) ? done.contains(recompute) : done.contains(a.with(.forward)))
                    && (a.stage == shape.stages - 1 || isDone(kinds, a.stage + 1, a.sequence, a.slice))
                    && (a.slice == shape.slices - 1 || isDone(kinds, a.stage, a.sequence, a.slice + 1))
            }
        }
        while rest.contains(where: { !$0.isEmpty }) {
            let before = done.count
            for rank in rest.indices {
                if let next = rest[rank].first, ready(next) {
                    done.insert(next)
                    rest[rank].removeFirst()
                }
            }
            if done.count == before { return false }
        }
        return true
    }

    @Test("random legal tables pass: any order in which ranks can run is accepted")
    func randomLegal() throws {
        var random = SeededGenerator(seed: 3)
        for table in try Self.all() {
            for _ in 0..<3 {
                let shuffled = try Self.randomised(table, using: &random)
                try shuffled.validate()
                #expect(Self.isLegalByDefinition(shuffled))
                #expect(try ScheduleTable(text: shuffled.text) == shuffled)
            }
        }
    }

    /// Another legal table with the same actions, by random moves that keep a table legal.
    private static func randomised(_ table: ScheduleTable, using random: inout SeededGenerator) throws -> ScheduleTable
    {
        var current = table
        for _ in 0..<60 {
            var rows = current.rows
            let rank = Int.random(in: 0..<rows.count, using: &random)
            let position = Int.random(in: 0..<rows[rank].count, using: &random)
            let moved = rows[rank].remove(at: position)
            rows[rank].insert(moved, at: .random(in: 0...rows[rank].count, using: &random))
            let candidate = current.with(rows: rows)
            if isLegalByDefinition(candidate) { current = candidate }
        }
        return current
    }

    @Test("a unit with both a fused and a separate gradient is refused")
    func mixed() throws {
        let table = try makeTable("1f1b", ranks: 2, sequences: 2, slices: 2)
        for kind in [ActionKind.backwardInput, .backwardWeight] {
            for (rank, row) in table.rows.enumerated() {
                for position in row.indices where row[position].kind == .backward {
                    var rows = table.rows
                    rows[rank].insert(row[position].with(kind), at: position)
                    let error = Self.fault(table, rows: rows)
                    #expect(error?.fault == .mixedBackward)
                    #expect(error?.action == row[position].with(kind))
                }
            }
        }
    }

    @Test("a circle of waits is told rank by rank")
    func deadlock() throws {
        let text = """
            gecko-schedule 2
            name circle
            ranks 2
            sequences 2
            slices 1
            placement 0 1
            rank 0
              F0:0.0 BW0:0.0 F0:1.0 BW0:1.0
            rank 1
              F1:0.0 F1:1.0 BW1:0.0 BW1:1.0
            """
        let error = #expect(throws: ScheduleError.self) { try ScheduleTable(text: text).validate() }
        #expect(error?.fault == .deadlock)
        let report = error?.description ?? ""
        #expect(report.contains("rank 0 at position 1 (BW0:0.0) waits for B1:0.0 or BW1:0.0 of rank 1"))
        #expect(report.contains("rank 1 at position 1 (F1:1.0) waits for F0:1.0 of rank 0"))
        #expect(report.contains("^^^^^^"))
    }

    @Test("a header that promises far more than the rows hold is refused without much memory")
    func hugeHeader() throws {
        let text = """
            gecko-schedule 2
            name huge
            ranks 1
            sequences 100000000
            slices 1
            placement 0
            rank 0
              F0:0.0 BW0:0.0
            """
        let error = #expect(throws: ScheduleError.self) { try ScheduleTable(text: text).validate() }
        #expect(error?.fault == .missing)
        #expect(error?.action == Action(.forward, stage: 0, sequence: 1, slice: 0))
    }

    @Test("the report shows the rows around the failing cell with a marker under it")
    func excerpt() throws {
        let table = try makeTable("1f1b", ranks: 3, sequences: 3, slices: 1)
        var rows = table.rows
        rows[1].swapAt(2, 4)
        let report = Self.fault(table, rows: rows)?.description ?? ""
        let lines = report.split(separator: "\n").map(String.init)
        let marker = try #require(lines.firstIndex { $0.contains("^") })
        let column = try #require(lines[marker].firstIndex(of: "^"))
        let offset = lines[marker].distance(from: lines[marker].startIndex, to: column)
        #expect(lines[marker - 1].hasPrefix("rank 1 |"))
        #expect(lines[marker - 1].dropFirst(offset).hasPrefix("BW1:1.0"))
        #expect(report.contains("rank 1, position 2: BW1:1.0") && report.contains("expected BW1:0.0 here"))
        #expect(report.contains("rank 0 |") && report.contains("rank 2 |"))
    }
}
