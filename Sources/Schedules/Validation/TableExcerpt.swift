/// The cells around one cell of a table, with a marker below it.
struct TableExcerpt {
    let table: ScheduleTable
    let rank: Int
    let position: Int

    private static let cellsEachSide = 4
    private static let rowsEachSide = 2

    var text: String {
        let ranks = max(0, rank - Self.rowsEachSide)...min(table.shape.ranks - 1, rank + Self.rowsEachSide)
        let positions = max(0, position - Self.cellsEachSide)...(position + Self.cellsEachSide)
        let width = ranks.flatMap { rank in positions.map { cell(rank, $0).count } }.max() ?? 0
        let head = "rank \(ranks.upperBound)".count
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        var lines: [String] = []
        for shown in ranks {
            let before = positions.lowerBound > 0 ? "... " : "    "
            let after = positions.upperBound + 1 < table.rows[shown].count ? " ..." : ""
            let cells = positions.map { padded(cell(shown, $0), width) }.joined(separator: " ")
            lines.append(trimmed(padded("rank \(shown)", head) + " | " + before + cells) + after)
            if shown == rank {
                let offset = head + 3 + 4 + (position - positions.lowerBound) * (width + 1)
                let length = max(1, cell(rank, position).count)
                lines.append(String(repeating: " ", count: offset) + String(repeating: "^", count: length))
            }
        }
        return lines.joined(separator: "\n")
    }

    private func cell(_ rank: Int, _ position: Int) -> String {
        let row = table.rows[rank]
        if position < row.count { return row[position].description }
        return position == row.count ? "(end)" : ""
    }

    private func trimmed(_ line: String) -> String {
        var line = Substring(line)
        while line.last == " " { line = line.dropLast() }
        return String(line)
    }
}
