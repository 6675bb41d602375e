import Kernels
import TestSupport

extension KernelCases {
    static let rowMoves: [KernelCase] =
        shapes { gatherRows($0, $1) } + shapes { scatterRows($0, $1, columns: 0..<$1) }
        + [scatterRows(7, 33, columns: 16..<32), scatterRows(7, 33, columns: 32..<33)]

    private static let tableRows = 4
    private static let ids: [Int32] = [3, 0, 3, 1, 0, 3, 3]

    private static func gatherRows(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(21)
        let x = noise.floats(tableRows * cols)
        return KernelCase("gatherRows", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.elementwise.gatherRows(
                GatherRowsArguments(
                    y: memory.output("y", rows: rows, cols: cols), table: memory.input(x, cols: cols),
                    ids: memory.integers(ids), scale: 2.5, extent: Extent(rows: rows, columns: cols)))
        } expected: {
            ["y": (0..<rows).flatMap { x.row(Int(ids[$0]), cols).map { 2.5 * Double($0) } }]
        }
    }

    /// Rows that are named more than once get the sum; columns outside the share stay.
    private static func scatterRows(_ rows: Int, _ cols: Int, columns: Range<Int>) -> KernelCase {
        var noise = Noise(22)
        let (dx, dy) = (noise.floats(tableRows * cols), noise.floats(rows * cols))
        return KernelCase("scatterRows", "\(rows) x \(cols), columns \(columns)") { kernels, memory in
            kernels.tokens.elementwise.scatterRows(
                ScatterRowsArguments(
                    table: memory.output("dx", from: dx, cols: cols), rows: memory.input(dy, cols: cols),
                    ids: memory.integers(ids), scale: 2.5, extent: Extent(rows: rows, columns: cols),
                    columns: columns))
        } expected: {
            var out = doubles(dx)
            for t in 0..<rows {
                for i in columns { out[Int(ids[t]) * cols + i] += 2.5 * Double(dy[t * cols + i]) }
            }
            return ["dx": out]
        }
    }
}
