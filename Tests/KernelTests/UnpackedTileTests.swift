import KernelInterface
import Kernels
import Testing

/// A tile of a left factor that isn't packed has the bits of the packed one, and reads nothing beside its rows.
struct UnpackedTileTests {
    static let levels = KernelTable.runnable.map(\.level)

    /// How the left factor lies: its rows, or its columns, one after another.
    enum Lying: CaseIterable, Sendable {
        case rows, columns
    }

    @Test(arguments: Lying.allCases, levels) func anUnpackedTileHasThePackedOnesBits(
        _ lying: Lying, level: Int
    ) throws {
        let tile = try #require(KernelTable.at(level: level)).tile
        let unpacked = try #require(tile.multiplyUnpacked, "tiles of float32 take factors as they lie")
        for k in [1, 7, 64, 130] {
            for rows in 1...tile.rows {
                for columns in [tile.columns, tile.columns - 3] {
                    for adds in [false, true] {
                        let c = Case(tile: tile, lying: lying, k: k, rows: rows, columns: columns, adds: adds)
                        #expect(
                            c.packed() == c.lyingAsItIs(unpacked),
                            "\(rows) x \(columns) x \(k)\(adds ? ", added" : "")")
                    }
                }
            }
        }
    }

    /// One tile: A [rows, k] and B [k, columns] of numbers that differ; around A there are NaNs.
    private struct Case {
        let tile: MatrixTile
        let lying: Lying
        let k, rows, columns: Int
        let adds: Bool

        private static let slack = 5
        /// Floats from one row, or column, of A to the next.
        private var stride: Int { (lying == .rows ? k : rows) + Self.slack }

        private func number(_ i: Int) -> Float { Float((i * 7919 + 12345) % 2039) / 1024 - 1 }

        private var a: [Float] {
            let (runs, length) = lying == .rows ? (rows, k) : (k, rows)
            return (0..<runs * stride).map { $0 % stride < length ? number($0) : .nan }
        }

        private var panel: [Float] {
            let b = (0..<k * columns).map { number(3 * $0 + 1) }
            var panel = [Float](repeating: 0, count: k * tile.columns + 8)
            tile.packColumns(&panel, b, columns, columns, k, tile.columns)
            return panel
        }

        private func result(_ multiply: (TileCells) -> Void) -> [UInt32] {
            var c = (0..<rows * columns).map { number(5 * $0 + 2) }
            c.withUnsafeMutableBufferPointer {
                multiply(TileCells($0.baseAddress!, stride: columns, rows: rows, columns: columns))
            }
            return c.map(\.bitPattern)
        }

        func packed() -> [UInt32] {
            var strip = [Float](repeating: 0, count: k * tile.rows + 8)
            let pack = lying == .rows ? tile.packRows : tile.packColumns
            pack(&strip, a, stride, rows, k, tile.rows)
            let panel = panel
            return result { tile.multiply(k, strip, panel, $0, 1, adds) }
        }

        func lyingAsItIs(
            _ multiply:
                @Sendable (
                    Int, UnsafePointer<Float>, Int, Int, UnsafePointer<Float>, TileCells, Bool
                ) -> Void
        ) -> [UInt32] {
            let (a, panel) = (a, panel)
            let (row, step) = lying == .rows ? (stride, 1) : (1, stride)
            return result { multiply(k, a, row, step, panel, $0, adds) }
        }
    }
}
