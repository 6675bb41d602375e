import Hardware
import Kernels

/// Matrix products from packed panels and register tiles, in float32 or bfloat16.
///
/// C is cut into blocks of rows and panels of columns; k goes in passes of `depth`. Within a pass an element is one
/// chain of multiply-adds, and passes are added in order, so the bits depend on nothing but the factors: not on the
/// number of workers, not on the CPU's vector length, not on which rows are computed together.
package final class TileProducts: MatrixProducts {
    package let team: Team
    package let precision: Precision
    /// As everything that the engine computes.
    private let own: MatrixTile

    package var tile: MatrixTile? { own }
    package var promises: BitPromises { .all }

    /// k of one pass. It shows in the bits (where k is larger), so it is the same everywhere.
    package static let depth = 512
    /// Rows of A that a worker packs at a time: with `depth` k, a quarter of a megabyte.
    private static let blockRows = 128
    /// Columns of B that are packed at a time, for the team and by one worker for itself.
    private static let sharedColumns = 2048
    private static let ownColumns = 512
    /// Floats to pack, and multiply-adds, from which a team that has little work is worth a fork-join: that costs up to
    /// 2 us where cores are far apart.
    private static let leastPacked = 1 << 15
    private static let leastProducts = 1 << 18

    private let shared: FloatBuffer
    private let scratch: [FloatBuffer]

    /// - Parameter kernels: whose tiles to use, for tests; it must have those of `precision`.
    package init(_ team: Team, precision: Precision = .f32, kernels: KernelTable = .best) {
        self.team = team
        self.precision = precision
        guard let tile = precision.tile(kernels) else {
            preconditionFailure("this CPU has no instructions for matrix products in \(precision.rawValue)")
        }
        own = tile
        let words = tile.words(Self.depth)
        shared = FloatBuffer(words * Self.sharedColumns)
        scratch = (0..<team.count).map { _ in FloatBuffer(words * (Self.blockRows + Self.ownColumns) + 8) }
    }

    /// Rows of one block, a multiple of the tile's.
    @inline(__always) private var blockRows: Int { Self.blockRows / own.rows * own.rows }

    package func multiply(_ p: Product) {
        if p.rows == 0 || p.columns == 0 { return }
        var k = 0
        repeat {
            let depth = min(Self.depth, p.depth - k)
            for column in stride(from: 0, to: p.columns, by: Self.sharedColumns) {
                let columns = min(Self.sharedColumns, p.columns - column)
                pack(p.right.from(row: k, column: column), depth: depth, columns: columns, to: shared.base)
                share(pass(p, from: k, depth: depth, column: column, columns: columns, panels: shared.base), p.rows)
            }
            k += Self.depth
        } while k < p.depth
    }

    package func multiply(_ p: Product, on worker: Int) {
        if p.rows == 0 || p.columns == 0 { return }
        let panels = scratch[worker].base + own.words(Self.depth) * Self.blockRows + 8
        var k = 0
        repeat {
            let depth = min(Self.depth, p.depth - k)
            for column in stride(from: 0, to: p.columns, by: Self.ownColumns) {
                let columns = min(Self.ownColumns, p.columns - column)
                let b = p.right.from(row: k, column: column)
                let pack = b.isTransposed ? own.packRows : own.packColumns
                pack(panels, b.base, b.stride, columns, depth, own.columns)
                let pass = pass(p, from: k, depth: depth, column: column, columns: columns, panels: panels)
                compute(pass, rows: 0..<p.rows, panels: 0..<pass.panelCount(own), on: worker)
            }
            k += Self.depth
        } while k < p.depth
    }

    package func multiply(_ left: Factor, rows: Int, by weight: PreparedWeight, to result: Destination) {
        guard let b = weight as? PackedMatrix else { preconditionFailure("a weight that another engine prepared") }
        if rows == 0 { return }
        for number in 0..<b.passes {
            let k = number * Self.depth
            let pass = Pass(
                left: left.from(column: k), depth: min(Self.depth, b.depth - k), panels: b.panels(pass: number),
                columns: b.columns,
                result: Destination(result.base, stride: result.stride, adds: result.adds || number > 0), scale: 1)
            share(pass, rows)
        }
    }

    package func prepare(
        _ factor: Factor, depth: Int, columns: Int, reusing used: PreparedWeight?
    ) -> PreparedWeight {
        let packed = used as? PackedMatrix ?? PackedMatrix(depth: depth, columns: columns, own)
        for pass in 0..<packed.passes {
            let k = pass * Self.depth
            pack(
                factor.from(row: k), depth: min(Self.depth, depth - k), columns: columns,
                to: packed.panels(pass: pass))
        }
        return packed
    }

    /// Whatever the tile's width up to 32 columns.
    package static func preparedBytes(depth: Int, columns: Int, _ precision: Precision) -> Int {
        let step = precision == .bf16 ? 2 : 1
        return 4 * ((depth + step - 1) / step * ((columns + 31) / 32 * 32))
    }

    /// Some k of a product: all rows of A, and columns of B in panels.
    private struct Pass {
        let left: Factor
        let depth: Int
        let panels: UnsafePointer<Float>
        let columns: Int
        let result: Destination
        let scale: Float

        @inline(__always) func panelCount(_ tile: MatrixTile) -> Int { (columns + tile.columns - 1) / tile.columns }
    }

    @inline(__always)
    private func pass(
        _ p: Product, from k: Int, depth: Int, column: Int, columns: Int, panels: UnsafePointer<Float>
    ) -> Pass {
        Pass(
            left: p.left.from(column: k), depth: depth, panels: panels, columns: columns,
            result: Destination(
                p.result.base + column, stride: p.result.stride, adds: p.result.adds || k > 0), scale: p.scale)
    }

    /// Packs columns of B for one pass, its panels shared out among the team.
    private func pack(_ b: Factor, depth: Int, columns count: Int, to panels: UnsafeMutablePointer<Float>) {
        let width = own.columns
        let size = own.words(depth) * width
        let panelCount = (count + width - 1) / width
        let workers = team.count
        func part(_ first: Int, _ end: Int) {
            if first == end { return }
            let columns = min(count, end * width) - first * width
            let pack = b.isTransposed ? own.packRows : own.packColumns
            pack(panels + first * size, b.from(column: first * width).base, b.stride, columns, depth, width)
        }
        if team.hasLittleWork, count * depth < Self.leastPacked {
            team.alone(as: .gemm) { part(0, panelCount) }
        } else {
            team.run(as: .gemm) { worker in
                part(panelCount * worker / workers, panelCount * (worker + 1) / workers)
            }
        }
    }

    /// One pass: every worker takes some rows of C, or some columns where the rows are too few.
    private func share(_ pass: Pass, _ m: Int) {
        let workers = team.count
        let strips = (m + own.rows - 1) / own.rows
        let panels = pass.panelCount(own)
        if team.hasLittleWork, m * pass.columns * pass.depth < Self.leastProducts {
            return team.alone(as: .gemm) { compute(pass, rows: 0..<m, panels: 0..<panels, on: 0) }
        }
        team.run(as: .gemm) { worker in
            if strips >= workers {
                let first = strips * worker / workers * own.rows
                let end = min(m, strips * (worker + 1) / workers * own.rows)
                compute(pass, rows: first..<end, panels: 0..<panels, on: worker)
            } else {
                let mine = panels * worker / workers..<panels * (worker + 1) / workers
                compute(pass, rows: 0..<m, panels: mine, on: worker)
            }
        }
    }

    /// Some rows and column panels of C on one worker.
    private func compute(_ pass: Pass, rows: Range<Int>, panels: Range<Int>, on worker: Int) {
        if panels.isEmpty { return }
        let strips = scratch[worker].base
        let pack = pass.left.isTransposed ? own.packColumns : own.packRows
        let words = own.words(pass.depth)
        let size = words * own.columns
        var i = rows.lowerBound
        while i < rows.upperBound {
            let count = min(blockRows, rows.upperBound - i)
            let left = pass.left.from(row: i)
            pack(strips, left.base, left.stride, count, pass.depth, own.rows)
            for j in panels {
                own.multiply(
                    rows: count, columns: min(own.columns, pass.columns - j * own.columns), words: words, strips,
                    pass.panels + j * size, scale: pass.scale, to: pass.result.from(row: i, column: j * own.columns))
            }
            i += count
        }
    }
}
