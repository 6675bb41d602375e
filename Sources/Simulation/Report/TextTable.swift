/// Columns of text, numbers to the right.
public struct TextTable {
    private let header: [String]
    private var rows: [[String]] = []

    public init(_ header: [String]) { self.header = header }

    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, the first column to the left and the others to the right.
    public var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in
            all.reduce(0) { max($0, $1.indices.contains(column) ? $1[column].count : 0) }
        }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + padding : "  " + padding + cell
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
