import Hardware
import Kernels

/// Matrix products on a team's pinned workers. All matrices are row-major float32; `precision` says what they are multiplied as.
///
/// C is cut into blocks of rows and panels of columns; k goes in passes of `depth`. Within a pass an element is one chain of multiply-adds, and passes are
/// added in order, so the bits depend on nothing but the factors: not on the number of workers, not on the CPU's vector length, not on which
/// rows are computed together. Belongs to the team's leader; a worker uses only its own scratch.
package final class MatrixEngine {
    package let team: Team
    package let precision: Precision
    package let tile: MatrixTile

    /// k of one pass. It shows in the bits (where k is larger), so it is the same everywhere.
    package static let depth = 512
    /// Rows of A that a worker packs at a time: with `depth` k, a quarter of a megabyte.
    private static let blockRows = 128
    /// Columns of B that are packed at a time, for the team and by one worker for itself.
    private static let sharedColumns = 2048
    private static let ownColumns = 512
    /// Floats to pack, and multiply-adds, from which a team that has little work is worth a fork-join: that costs up to 2 us where cores are
    /// far apart.
    private static let leastPacked = 1 << 15
    private static let leastProducts = 1 << 18

    private let shared: FloatBuffer
    private let own: [FloatBuffer]

    /// - Parameter kernels: whose tiles to use, for tests; it must have those of `precision`.
    package init(_ team: Team, precision: Precision = .f32, kernels: KernelTable = .best) {
        self.team = team
        self.precision = precision
        guard let tile = precision.tile(kernels) else {
            preconditionFailure("this CPU has no instructions for matrix products in \(precision.rawValue)")
        }
        self.tile = tile
        let words = tile.words(Self.depth)
        shared = FloatBuffer(words * Self.sharedColumns)
        own = (0..<team.count).map { _ in FloatBuffer(words * (Self.blockRows + Self.ownColumns) + 8) }
    }

    /// Rows of one block, a multiple of the tile's.
    @inline(__always) private var blockRows: Int { Self.blockRows / tile.rows * tile.rows }

    /// C[m, n] = op(A) op(B) + beta C, shared by the team. beta is 0 or 1.
    ///
    /// - Parameters:
    ///   - a: [m, k] with row stride `lda`, or [k, m] when `transA`.
    ///   - b: [k, n] with row stride `ldb`, or [n, k] when `transB`.
    package func run(
        _ transA: Bool, _ transB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        if m == 0 || n == 0 { return }
        var pc = 0
        repeat {
            let kc = min(Self.depth, k - pc)
            for jc in stride(from: 0, to: n, by: Self.sharedColumns) {
                let nc = min(Self.sharedColumns, n - jc)
                pack(transB, b + (transB ? jc * ldb + pc : pc * ldb + jc), ldb, nc, kc, to: shared.base)
                multiply(
                    transA, m, nc, kc, a + (transA ? pc * lda : pc), lda, shared.base, beta != 0 || pc > 0, c + jc, ldc)
            }
            pc += Self.depth
        } while pc < k
    }

    /// C[m, n] = op(A) B + beta C with a B that is packed already.
    package func run(
        _ transA: Bool, _ m: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: PackedMatrix, _ beta: Float,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        if m == 0 { return }
        for pass in 0..<b.passes {
            let pc = pass * Self.depth
            multiply(
                transA, m, b.columns, min(Self.depth, b.depth - pc), a + (transA ? pc * lda : pc), lda,
                b.panels(pass: pass), beta != 0 || pass > 0, c, ldc)
        }
    }

    /// Packs columns of B for one pass, its panels shared out among the team.
    func pack(
        _ transB: Bool, _ b: UnsafePointer<Float>, _ ldb: Int, _ n: Int, _ kc: Int,
        to panels: UnsafeMutablePointer<Float>
    ) {
        let width = tile.columns
        let size = tile.words(kc) * width
        let count = (n + width - 1) / width
        let workers = team.count
        func part(_ first: Int, _ end: Int) {
            if first == end { return }
            let columns = min(n, end * width) - first * width
            let pack = transB ? tile.packRows : tile.packColumns
            pack(panels + first * size, b + first * width * (transB ? ldb : 1), ldb, columns, kc, width)
        }
        if team.hasLittleWork, n * kc < Self.leastPacked {
            team.alone(as: .gemm) { part(0, count) }
        } else {
            team.run(as: .gemm) { worker in part(count * worker / workers, count * (worker + 1) / workers) }
        }
    }

    /// One pass: every worker takes some rows of C, or some columns where the rows are too few.
    private func multiply(
        _ transA: Bool, _ m: Int, _ n: Int, _ kc: Int, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ adds: Bool, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        let workers = team.count
        let strips = (m + tile.rows - 1) / tile.rows
        let panels = (n + tile.columns - 1) / tile.columns
        if team.hasLittleWork, m * n * kc < Self.leastProducts {
            return team.alone(as: .gemm) {
                rows(0, transA, 0..<m, 0..<panels, n, kc, a, lda, b, adds, c, ldc)
            }
        }
        team.run(as: .gemm) { worker in
            if strips >= workers {
                let first = strips * worker / workers * tile.rows
                let end = min(m, strips * (worker + 1) / workers * tile.rows)
                rows(worker, transA, first..<end, 0..<panels, n, kc, a, lda, b, adds, c, ldc)
            } else {
                let mine = panels * worker / workers..<panels * (worker + 1) / workers
                rows(worker, transA, 0..<m, mine, n, kc, a, lda, b, adds, c, ldc)
            }
        }
    }

    /// Some rows and column panels of C on one worker.
    private func rows(
        _ worker: Int, _ transA: Bool, _ rows: Range<Int>, _ panels: Range<Int>, _ n: Int, _ kc: Int,
        _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ adds: Bool,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, alpha: Float = 1
    ) {
        if panels.isEmpty { return }
        let scratch = own[worker].base
        let pack = transA ? tile.packColumns : tile.packRows
        let words = tile.words(kc)
        let size = words * tile.columns
        var i0 = rows.lowerBound
        while i0 < rows.upperBound {
            let count = min(blockRows, rows.upperBound - i0)
            pack(scratch, a + i0 * (transA ? 1 : lda), lda, count, kc, tile.rows)
            for j in panels {
                tiles(
                    count, min(tile.columns, n - j * tile.columns), words, scratch, b + j * size, alpha, adds,
                    c + i0 * ldc + j * tile.columns, ldc)
            }
            i0 += count
        }
    }

    /// A column panel of C from packed rows of A.
    @inline(__always)
    package func tiles(
        _ rows: Int, _ columns: Int, _ words: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
        _ alpha: Float, _ adds: Bool, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        let multiply = tile.multiply
        let height = tile.rows
        var i = 0
        while i < rows {
            multiply(words, a + i * words, b, c + i * ldc, ldc, min(height, rows - i), columns, alpha, adds)
            i += height
        }
    }

    /// One worker's product on the calling thread. C[m, n] = alpha op(A) op(B) + beta C.
    package func serial(
        _ worker: Int, _ transA: Bool, _ transB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>,
        _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int,
        alpha: Float = 1
    ) {
        if m == 0 || n == 0 { return }
        let panels = own[worker].base + tile.words(Self.depth) * Self.blockRows + 8
        let pack = transB ? tile.packRows : tile.packColumns
        var pc = 0
        repeat {
            let kc = min(Self.depth, k - pc)
            for jc in stride(from: 0, to: n, by: Self.ownColumns) {
                let nc = min(Self.ownColumns, n - jc)
                pack(panels, b + (transB ? jc * ldb + pc : pc * ldb + jc), ldb, nc, kc, tile.columns)
                rows(
                    worker, transA, 0..<m, 0..<(nc + tile.columns - 1) / tile.columns, nc, kc,
                    a + (transA ? pc * lda : pc), lda, panels, beta != 0 || pc > 0, c + jc, ldc, alpha: alpha)
            }
            pc += Self.depth
        } while pc < k
    }
}
