extension ScheduleTable {
    /// Reads the text form of a table. The result is well formed but not yet validated.
    ///
    /// - Throws: `ScheduleError` with line and column of the first malformation.
    package init(text: String) throws {
        self = try ScheduleParser(text: text).parse()
    }
}

/// Reads the text form line by line, knowing where each word stands.
private struct ScheduleParser {
    private let words: ScheduleWords

    init(text: String) { words = ScheduleWords(text) }

    private func fault(_ message: String, at word: ScheduleWord) -> ScheduleError {
        .text(message, line: word.line, column: word.column)
    }

    private func faultAtEnd(_ message: String) -> ScheduleError {
        .text(message, line: words.lineCount, column: 1)
    }

    func parse() throws -> ScheduleTable {
        try parseFormatLine()
        var body = words.lines.dropFirst()
        let header = try parseHeader(&body)
        let shape: ScheduleShape
        do {
            shape = try ScheduleShape(
                ranks: header.ranks, sequences: header.sequences, slices: header.slices, placement: header.placement)
        } catch let error as ScheduleError {
            throw fault(error.message, at: header.placementWord)
        }
        return ScheduleTable(name: header.name, shape: shape, rows: try parseRows(body, shape: shape))
    }

    private func parseFormatLine() throws {
        guard let first = words.lines.first else {
            throw faultAtEnd("expected '\(ScheduleTable.textHeader)', found nothing")
        }
        let found = first.map(\.string)
        guard found.first == "gecko-schedule" else {
            throw fault("expected '\(ScheduleTable.textHeader)', found '\(found[0])'", at: first[0])
        }
        guard found.count == 2, found[1] == "1" else {
            throw fault(
                "expected format version 1, found '\(found.dropFirst().joined(separator: " "))'; "
                    + "this program reads version 1 only", at: first[min(1, found.count - 1)])
        }
    }

    private struct Header {
        var name = ""
        var ranks = 0
        var sequences = 0
        var slices = 0
        var placement: [Int] = []
        var placementWord: ScheduleWord
    }

    private func parseHeader(_ body: inout ArraySlice<[ScheduleWord]>) throws -> Header {
        let keys = ["name", "ranks", "sequences", "slices", "placement"]
        var values: [String: [ScheduleWord]] = [:]
        while let line = body.first, line[0].string != "rank" {
            let key = line[0].string
            guard keys.contains(key) else {
                throw fault("expected one of \(keys.joined(separator: ", ")) or 'rank 0', found '\(key)'", at: line[0])
            }
            guard values[key] == nil else { throw fault("'\(key)' is given twice", at: line[0]) }
            guard line.count > 1 else { throw fault("'\(key)' has no value", at: line[0]) }
            guard key == "placement" || line.count == 2 else {
                throw fault("expected one value for '\(key)', found '\(line[2].string)' after it", at: line[2])
            }
            values[key] = Array(line.dropFirst())
            body = body.dropFirst()
        }
        func words(_ key: String) throws -> [ScheduleWord] {
            if let words = values[key] { return words }
            let message = "the header has no line '\(key)'"
            throw body.first.map { fault(message, at: $0[0]) } ?? faultAtEnd(message)
        }
        let placement = try words("placement")
        return Header(
            name: try words("name")[0].string, ranks: try number(words("ranks")[0], "a number of ranks"),
            sequences: try number(words("sequences")[0], "a number of sequences"),
            slices: try number(words("slices")[0], "a number of slices"),
            placement: try placement.map { try number($0, "the rank of a stage") }, placementWord: placement[0])
    }

    private func parseRows(
        _ body: ArraySlice<[ScheduleWord]>, shape: ScheduleShape
    ) throws -> [[Action]] {
        var rows: [[Action]] = []
        for line in body {
            if line[0].string == "rank" {
                guard line.count == 2 else {
                    throw fault("expected 'rank \(rows.count)' alone on its line", at: line[0])
                }
                let rank = try number(line[1], "a rank")
                guard rank == rows.count else {
                    throw fault("expected rank \(rows.count), found rank \(rank); rows stand in order", at: line[1])
                }
                guard rank < shape.ranks else {
                    throw fault("the header has \(shape.ranks) ranks, so there is no rank \(rank)", at: line[1])
                }
                rows.append([])
            } else {
                for word in line { rows[rows.count - 1].append(try action(word, shape: shape)) }
            }
        }
        guard rows.count == shape.ranks else {
            throw faultAtEnd("expected \(shape.ranks) rows, found \(rows.count); 'rank \(rows.count)' is missing")
        }
        return rows
    }

    private func number(_ word: ScheduleWord, _ what: String) throws -> Int {
        guard let value = Int(word.string), value >= 0, value <= Int(Int32.max), word.bytes.first != UInt8(ascii: "+")
        else { throw fault("expected \(what), found '\(word.string)'", at: word) }
        return value
    }

    private func action(_ word: ScheduleWord, shape: ScheduleShape) throws -> Action {
        var rest = word.bytes
        let form = "expected an action such as F0:0.0, found '\(word.string)'"
        func digits(until end: UInt8?) -> Int? {
            var value = 0
            var count = 0
            while let byte = rest.first, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                count += 1
                guard value <= Int(Int32.max) else { return nil }
                rest = rest.dropFirst()
            }
            guard count > 0, rest.first == end else { return nil }
            rest = rest.dropFirst()
            return value
        }
        guard let letter = rest.first, let kind = ActionKind(letter: Character(UnicodeScalar(letter))) else {
            throw fault(form + "; it begins with one of F, D, B, W, R", at: word)
        }
        rest = rest.dropFirst()
        guard let stage = digits(until: UInt8(ascii: ":")), let sequence = digits(until: UInt8(ascii: ".")),
            let slice = digits(until: nil)
        else { throw fault(form, at: word) }
        let action = Action(kind, stage: stage, sequence: sequence, slice: slice)
        guard shape.contains(action) else {
            throw fault(
                "\(action) is outside the table: stages are 0..<\(shape.stages), sequences 0..<\(shape.sequences), "
                    + "slices 0..<\(shape.slices)", at: word)
        }
        return action
    }
}
