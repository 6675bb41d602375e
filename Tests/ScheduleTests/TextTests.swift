import Foundation
import Schedules
import Testing

struct TextTests {
    @Test("every schedule's text reads back to an equal table")
    func roundTrip() throws {
        for generator in ScheduleRegistry.all {
            for request in [(1, 1, 1), (3, 1, 5), (4, 3, 2), (2, 12, 1)] {
                let table = try generator.make(.init(ranks: request.0, sequences: request.1, slices: request.2))
                let text = table.text
                #expect(try ScheduleTable(text: text) == table)
                #expect(try ScheduleTable(text: text).text == text)
                #expect(try ScheduleTable(text: table.withRecompute().text) == table.withRecompute())
                #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 120 })
            }
        }
    }

    @Test("comments, blank lines, tabs and carriage returns don't matter")
    func freedom() throws {
        let text = """
            # a hand-written table
            gecko-schedule 2\r
            name by-hand   # a name
            sequences 1
            ranks\t1
            slices 2

            placement 0
            rank 0  # the only one
            F0:0.0 F0:0.1 #BW0:0.0
            \tBW0:0.1
            BW0:0.0
            """
        let table = try ScheduleTable(text: text)
        #expect(table.rows[0].map(\.description) == ["F0:0.0", "F0:0.1", "BW0:0.1", "BW0:0.0"])
        try table.validate()
    }

    @Test(
        """
        any line ends, a byte order mark, blanks at line ends and a missing last line end are taken, with the \
        right places in messages
        """
    )
    func lineEnds() throws {
        let table = try makeTable("1f1b", ranks: 2, sequences: 3, slices: 2)
        let text = table.text
        for (from, to) in [("\n", "\r\n"), ("\n", "\r"), ("\n", " \t\n"), ("\n", "\u{b}\u{c}\n")] {
            let other = text.replacingOccurrences(of: from, with: to)
            #expect(try ScheduleTable(text: other) == table)
            #expect(try ScheduleTable(text: "\u{feff}" + other) == table)
            #expect(try ScheduleTable(text: String(other.reversed().drop { $0.isWhitespace }.reversed())) == table)
            let error = #expect(throws: ScheduleError.self) {
                try ScheduleTable(text: other.replacingOccurrences(of: "slices 2", with: "slices x"))
            }
            #expect(error?.fault == .text(line: 5, column: 8))
        }
    }

    @Test("what nobody would see is written out in messages")
    func invisible() {
        let error = #expect(throws: ScheduleError.self) {
            try ScheduleTable(
                text: Self.good.joined(separator: "\n").replacingOccurrences(of: "BW0", with: "BW\u{200b}0"))
        }
        #expect(error?.message.contains("found 'BW\\u{200b}0:0.0'") ?? false, "\(error!)")
    }

    @Test("a header's ranks that the placement can't have are named with both")
    func ranks() {
        let text = Self.good.joined(separator: "\n").replacingOccurrences(of: "ranks 1", with: "ranks 1000000000")
        let error = #expect(throws: ScheduleError.self) { try ScheduleTable(text: text) }
        #expect(error?.description.hasPrefix("line 3, column 7: 1000000000 ranks, but 'placement' in line 6") ?? false)
    }

    private static let good = [
        "gecko-schedule 2", "name x", "ranks 1", "sequences 1", "slices 1", "placement 0", "rank 0", "  F0:0.0 BW0:0.0",
    ]

    /// A malformation: which line is replaced by what, and where the fault should be reported.
    struct Malformation: Sendable, CustomTestStringConvertible {
        let line: Int
        let text: String
        let faultLine: Int
        let faultColumn: Int
        var testDescription: String { text }

        init(_ line: Int, _ text: String, at faultLine: Int, _ faultColumn: Int) {
            self.line = line
            self.text = text
            self.faultLine = faultLine
            self.faultColumn = faultColumn
        }
    }

    @Test(
        "a malformed file gives line and column",
        arguments: [
            Malformation(1, "schedule 1", at: 1, 1),
            Malformation(1, "gecko-schedule 1", at: 1, 16),
            Malformation(1, "gecko-schedule", at: 1, 1),
            Malformation(2, "title x", at: 2, 1),
            Malformation(2, "name x y", at: 2, 8),
            Malformation(3, "ranks", at: 3, 1),
            Malformation(3, "ranks -1", at: 3, 7),
            Malformation(3, "ranks +1", at: 3, 7),
            Malformation(3, "ranks 99999999999999999999", at: 3, 7),
            Malformation(4, "ranks 1", at: 4, 1),
            Malformation(4, "sequences 1.5", at: 4, 11),
            Malformation(5, "", at: 7, 1),
            Malformation(5, "slices 0", at: 5, 8),
            Malformation(3, "ranks 0", at: 3, 7),
            Malformation(3, "ranks 1000000000", at: 3, 7),
            Malformation(3, "ranks 2", at: 3, 7),
            Malformation(2, "name x\u{1b}[31m", at: 2, 6),
            Malformation(2, "name a\u{0}b", at: 2, 7),
            Malformation(6, "placement 0 0 7", at: 6, 15),
            Malformation(6, "placement 0 1", at: 6, 13),
            Malformation(6, "placement zero", at: 6, 11),
            Malformation(4, "sequences 2000000000", at: 4, 11),
            Malformation(5, "slices 2000000000", at: 5, 8),
            Malformation(7, "rank 1", at: 7, 6),
            Malformation(7, "rank 0 F0:0.0", at: 7, 1),
            Malformation(7, "", at: 8, 3),
            Malformation(8, "", at: 8, 1),
            Malformation(8, "  F0:0.0 BW0:0.0\nrank 1", at: 9, 6),
            Malformation(8, "  F0:0.0 G0:0.0", at: 8, 10),
            Malformation(8, "  F0:0.0 BW0:0", at: 8, 10),
            Malformation(8, "  F0:0.0 BW0.0.0", at: 8, 10),
            Malformation(8, "  F0:0.0 BW0:0.0x", at: 8, 10),
            Malformation(8, "  F0:0.0 BW0:0.99999999999999999999", at: 8, 10),
            Malformation(8, "  F0:0.0 BW0:0.1", at: 8, 10),
            Malformation(8, "  F1:0.0", at: 8, 3),
            Malformation(8, "  \u{e9}F0:0.0", at: 8, 3),
        ])
    func malformed(_ case: Malformation) throws {
        var lines = Self.good
        lines[`case`.line - 1] = `case`.text
        if `case`.line == 8, `case`.text.isEmpty {
            // A row without actions is well formed; that it lacks them is for the validator to say.
            let error = #expect(throws: ScheduleError.self) {
                try ScheduleTable(text: lines.joined(separator: "\n")).validate()
            }
            #expect(error?.fault == .missing)
            return
        }
        let error = #expect(throws: ScheduleError.self) { try ScheduleTable(text: lines.joined(separator: "\n")) }
        #expect(error?.fault == .text(line: `case`.faultLine, column: `case`.faultColumn), "\(error!)")
    }

    @Test("an empty file and a file that ends too early are refused")
    func truncated() throws {
        _ = try ScheduleTable(text: Self.good.joined(separator: "\n"))
        for count in 0..<7 {
            let error = #expect(throws: ScheduleError.self) {
                try ScheduleTable(text: Self.good.prefix(count).joined(separator: "\n"))
            }
            guard case .text = error?.fault else {
                Issue.record("\(count) lines: \(String(describing: error))")
                continue
            }
        }
    }
}
