extension ScheduleTable {
    /// Reads the text form of a table. The result is well formed but not yet validated.
    ///
    /// - Throws: `ScheduleError` with line and column of the first malformation.
    public init(text: String) throws {
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
        if let nul = words.nul {
            throw ScheduleError.text(
                "found a NUL character; a schedule file is a text file, such as --save writes", line: nul.line,
                column: nul.column)
        }
        try parseFormatLine()
        var body = words.lines.dropFirst()
        let header = try parseHeader(&body)
        let shape = try shape(header)
        return ScheduleTable(name: header.name, shape: shape, rows: try parseRows(body, shape: shape))
    }

    private func parseFormatLine() throws {
        guard let first = words.lines.first else {
            throw faultAtEnd("expected '\(ScheduleTable.textHeader)', found nothing")
        }
        let found = first.map(\.shown)
        guard found.first == "gecko-schedule" else {
            throw fault("expected '\(ScheduleTable.textHeader)', found '\(found[0])'", at: first[0])
        }
        guard found.joined(separator: " ") == ScheduleTable.textHeader else {
            throw fault(
                "expected format version 2, found '\(found.dropFirst().joined(separator: " "))'; "
                    + "in version 1 a backward in one was D, which is BW now", at: first[min(1, found.count - 1)])
        }
    }

    private struct Header {
        /// A number and where it stands.
        typealias Entry = (value: Int, word: ScheduleWord)

        let name: String
        let ranks: Entry
        let sequences: Entry
        let slices: Entry
        let placement: [Entry]
    }

    /// The header's numbers, held against each other and against what a table can hold before anything of their size is
    /// made.
    private func shape(_ header: Header) throws -> ScheduleShape {
        let (ranks, stages) = (header.ranks.value, header.placement.count)
        for (what, entry) in [("ranks", header.ranks), ("sequences", header.sequences), ("slices", header.slices)]
        where entry.value < 1 {
            throw fault("expected at least 1 for the number of \(what), found \(entry.word.shown)", at: entry.word)
        }
        guard ranks <= stages else {
            throw fault(
                "\(ranks) ranks, but 'placement' in line \(header.placement[0].word.line) has \(stages) stage(s): "
                    + "every rank holds one at least, so there are at most \(stages) ranks", at: header.ranks.word)
        }
        if let stage = header.placement.indices.first(where: { header.placement[$0].value >= ranks }) {
            let entry = header.placement[stage]
            throw fault(
                "stage \(stage) is placed on rank \(entry.value), expected a rank in 0..<\(ranks)", at: entry.word)
        }
        do {
            return try ScheduleShape(
                ranks: ranks, sequences: header.sequences.value, slices: header.slices.value,
                placement: header.placement.map(\.value))
        } catch let error as ScheduleError {
            // What is left is a rank without a stage, or a table that is too large, by its sequences or its slices.
            let larger = header.sequences.value >= header.slices.value ? header.sequences : header.slices
            let isTooLarge = !ScheduleShape.isHeld(
                stages: stages, sequences: header.sequences.value, slices: header.slices.value)
            throw fault(error.message, at: isTooLarge ? larger.word : header.placement[0].word)
        }
    }

    private func parseHeader(_ body: inout ArraySlice<[ScheduleWord]>) throws -> Header {
        let keys = ["name", "ranks", "sequences", "slices", "placement"]
        var values: [String: [ScheduleWord]] = [:]
        while let line = body.first, line[0].string != "rank" {
            let key = line[0].string
            guard keys.contains(key) else {
                throw fault(
                    "expected one of \(keys.joined(separator: ", ")) or 'rank 0', found '\(line[0].shown)'", at: line[0]
                )
            }
            guard values[key] == nil else { throw fault("'\(key)' is given twice", at: line[0]) }
            guard line.count > 1 else { throw fault("'\(key)' has no value", at: line[0]) }
            guard key == "placement" || line.count == 2 else {
                throw fault("expected one value for '\(key)', found '\(line[2].shown)' after it", at: line[2])
            }
            values[key] = Array(line.dropFirst())
            body = body.dropFirst()
        }
        func words(_ key: String) throws -> [ScheduleWord] {
            if let words = values[key] { return words }
            let message = "the header has no line '\(key)'"
            throw body.first.map { fault(message, at: $0[0]) } ?? faultAtEnd(message)
        }
        func entry(_ key: String) throws -> Header.Entry {
            let word = try words(key)[0]
            return (try number(word, "a number of \(key)"), word)
        }
        let placement = try words("placement")
        let name = try words("name")[0]
        guard name.shown == name.string else {
            throw fault("expected a name without invisible characters, found '\(name.shown)'", at: name)
        }
        return Header(
            name: name.string, ranks: try entry("ranks"), sequences: try entry("sequences"),
            slices: try entry("slices"),
            placement: try placement.map { (try number($0, "the rank of a stage"), $0) })
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
        else { throw fault("expected \(what), found '\(word.shown)'", at: word) }
        return value
    }

    private func action(_ word: ScheduleWord, shape: ScheduleShape) throws -> Action {
        var rest = word.bytes
        let form = "expected an action such as F0:0.0, found '\(word.shown)'"
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
        let code = rest.prefix { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
        guard let kind = ActionKind(code: String(decoding: code, as: UTF8.self)) else {
            let codes = ActionKind.allCases.map(\.code).joined(separator: ", ")
            throw fault(form + "; it begins with one of \(codes)", at: word)
        }
        rest = rest.dropFirst(code.count)
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
