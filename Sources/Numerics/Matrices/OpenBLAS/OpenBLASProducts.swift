import COpenBLAS
import Hardware
import Kernels

/// Matrix products by OpenBLAS, float32: each worker calls it for some rows of C, and it computes them on that worker's
/// thread alone.
///
/// C is cut at multiples of `grain` rows, and never into blocks longer than `longest`. OpenBLAS' AVX2 kernels (core
/// types Haswell and Zen) treat each whole block of 24 rows alike, so with them an element is the same sum in the same
/// order for any number of workers. Columns have no such grain, and its other kernels have none at all.
package final class OpenBLASProducts: MatrixProducts {
    package let team: Team
    private let library: OpenBLASLibrary

    package var precision: Precision { .f32 }

    /// Where this CPU's tiles are fast, what is cut into small blocks uses them.
    package let tile: MatrixTile?

    package var promises: BitPromises {
        ["Haswell", "Zen"].contains(library.coreType) ? [.everyEngine, .workers] : .everyEngine
    }

    /// Blocks of rows begin at multiples of this.
    package static let grain = 24
    /// Rows of one call at most: below the library's own block, whose position would matter.
    package static let longest = 3072
    /// Multiply-adds from which a team that has little work is worth a fork-join.
    private static let leastProducts = 1 << 18

    /// - Parameter kernels: whose tiles to lend, if any, for tests
    package init(_ team: Team, _ library: OpenBLASLibrary, kernels: KernelTable = .best) {
        self.team = team
        self.library = library
        tile = MatrixEngine.isMeantForTiles(kernels) ? kernels.tile : nil
    }

    package func multiply(_ p: Product) {
        if p.rows == 0 || p.columns == 0 { return }
        for first in stride(from: 0, to: p.rows, by: Self.longest) {
            let rows = min(Self.longest, p.rows - first)
            if team.hasLittleWork, rows * p.columns * p.depth < Self.leastProducts {
                team.alone(as: .gemm) { compute(p, first..<first + rows) }
                continue
            }
            let parts = min(team.count, max(1, rows / Self.grain))
            team.forEach(parts, as: .gemm) { part in
                let from = Self.boundary(part, of: parts, rows: rows)
                let end = Self.boundary(part + 1, of: parts, rows: rows)
                compute(p, first + from..<first + end)
            }
        }
    }

    package func multiply(_ p: Product, on worker: Int) {
        if p.rows == 0 || p.columns == 0 { return }
        for first in stride(from: 0, to: p.rows, by: Self.longest) {
            compute(p, first..<min(first + Self.longest, p.rows))
        }
    }

    package func multiply(_ left: Factor, rows: Int, by weight: PreparedWeight, to result: Destination) {
        guard let weight = weight as? Weight else { preconditionFailure("a weight that another engine prepared") }
        multiply(
            Product(
                rows: rows, columns: weight.columns, depth: weight.depth, left, weight.factor, to: result))
    }

    /// The library packs a factor in every call and has no form to keep: the weight is used where it is.
    package func prepare(
        _ factor: Factor, depth: Int, columns: Int, reusing used: PreparedWeight?
    ) -> PreparedWeight {
        guard let used = used as? Weight else { return Weight(factor, depth: depth, columns: columns) }
        used.factor = factor
        return used
    }

    package static func preparedBytes(depth: Int, columns: Int, _ precision: Precision) -> Int { 0 }

    private final class Weight: PreparedWeight {
        var factor: Factor

        init(_ factor: Factor, depth: Int, columns: Int) {
            self.factor = factor
            super.init(depth: depth, columns: columns)
        }
    }

    /// Where part `i` of `parts` begins: the multiple of `grain` nearest to an equal share.
    private static func boundary(_ i: Int, of parts: Int, rows: Int) -> Int {
        i == parts ? rows : (rows * i / parts + grain / 2) / grain * grain
    }

    /// Some rows of C on the calling thread.
    private func compute(_ p: Product, _ rows: Range<Int>) {
        library.multiply(
            Product(
                rows: rows.count, columns: p.columns, depth: p.depth, p.left.from(row: rows.lowerBound), p.right,
                to: p.result.from(row: rows.lowerBound), scale: p.scale))
    }
}
