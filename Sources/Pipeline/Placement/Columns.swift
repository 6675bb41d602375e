/// Lines of cells as a text table.
struct Columns {
    private let lines: [[String]]
    private let rightAligned: Set<Int>

    init(_ lines: [[String]], rightAligned: Set<Int>) {
        self.lines = lines
        self.rightAligned = rightAligned
    }

    /// Ends with a newline.
    var text: String {
        let columns = lines.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in lines.map { $0.indices ~= column ? $0[column].count : 0 }.max() ?? 0
        }
        return lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { text += "  " }
                text += rightAligned.contains(column) ? padding + cell : cell + padding
            }
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }
}
