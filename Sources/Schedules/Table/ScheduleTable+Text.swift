extension ScheduleTable {
    /// First line of every schedule file.
    static let textHeader = "gecko-schedule 2"

    private static let textLineWidth = 110

    /// The table as text that `init(text:)` reads back to an equal table.
    ///
    ///     gecko-schedule 2
    ///     name 1f1b
    ///     ranks 2
    ///     sequences 1
    ///     slices 2
    ///     placement 0 1
    ///
    ///     rank 0
    ///       F0:0.0 F0:0.1 BW0:0.1 BW0:0.0
    ///     rank 1
    ///       F1:0.0 F1:0.1 BW1:0.1 BW1:0.0
    public var text: String {
        var text = """
            \(Self.textHeader)
            name \(name)
            ranks \(shape.ranks)
            sequences \(shape.sequences)
            slices \(shape.slices)
            placement \(shape.placement.map(String.init).joined(separator: " "))

            # An action is KIND STAGE ':' SEQUENCE '.' SLICE, in the order in which its rank runs it.
            # F forward, BW backward, B input gradient, W weight gradient, R recompute.

            """
        for (rank, row) in rows.enumerated() {
            text += "\nrank \(rank)\n"
            var line = " "
            for cell in row.lazy.map(\.description) {
                if line.utf8.count + 1 + cell.utf8.count > Self.textLineWidth {
                    text += line + "\n"
                    line = " "
                }
                line += " " + cell
            }
            if line != " " { text += line + "\n" }
        }
        return text
    }
}
