import COpenBLAS
import Hardware

/// Matrix products on pinned workers: OpenBLAS computes single-threaded tiles of C, one per worker.
///
/// All matrices are row-major. Work is split over tiles of the output only, at multiples of `grain` rows and columns, so that
/// every element is the same sum in the same order for any number of workers (OpenBLAS blocks the inner dimension by its
/// length alone; `MatrixProductTests` holds it).
package enum MatrixProduct {
    /// Tile boundaries are multiples of this: a multiple of every row and column block of OpenBLAS' kernels.
    package static let grain = 48

    /// One worker's product on the calling thread. C[m, n] = alpha op(A) op(B) + beta C.
    ///
    /// - Parameters:
    ///   - a: [m, k] with row stride `lda`, or [k, m] when `transA`.
    ///   - b: [k, n] with row stride `ldb`, or [n, k] when `transB`.
    @inline(__always)
    package static func serial(
        _ transA: Bool, _ transB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int,
        alpha: Float = 1
    ) {
        if m == 0 || n == 0 { return }
        cblas_sgemm(
            CblasRowMajor, transA ? CblasTrans : CblasNoTrans, transB ? CblasTrans : CblasNoTrans, blasint(m),
            blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
    }

    /// The same product shared by a team.
    package static func run(
        _ team: Team, _ transA: Bool, _ transB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>,
        _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        let (pm, pn) = split(m, n, over: team.count)
        if pm * pn == 1 {
            serial(transA, transB, m, n, k, a, lda, b, ldb, beta, c, ldc)
            team.onJoin?()
            return
        }
        team.forEach(pm * pn) { part in
            let i0 = boundary(part / pn, of: pm, length: m)
            let i1 = boundary(part / pn + 1, of: pm, length: m)
            let j0 = boundary(part % pn, of: pn, length: n)
            let j1 = boundary(part % pn + 1, of: pn, length: n)
            serial(
                transA, transB, i1 - i0, j1 - j0, k, a + (transA ? i0 : i0 * lda), lda, b + (transB ? j0 * ldb : j0),
                ldb, beta, c + i0 * ldc + j0, ldc)
        }
    }

    /// How many parts rows and columns are cut in: as many workers as the shape feeds, and among those splits the one with the
    /// least packing (the sum of a tile's sides).
    package static func split(_ m: Int, _ n: Int, over workers: Int) -> (rows: Int, columns: Int) {
        for parts in stride(from: workers, to: 1, by: -1) {
            var best: (rows: Int, columns: Int)?
            var cost = Double.infinity
            for pm in 1...parts where parts % pm == 0 {
                let pn = parts / pm
                if (pm > 1 && m < pm * grain) || (pn > 1 && n < pn * grain) { continue }
                let side = Double(m) / Double(pm) + Double(n) / Double(pn)
                if side < cost {
                    cost = side
                    best = (pm, pn)
                }
            }
            if let best { return best }
        }
        return (1, 1)
    }

    static func boundary(_ i: Int, of parts: Int, length: Int) -> Int {
        i == parts ? length : length * i / parts / grain * grain
    }

    /// Call once before the first product: our workers are the threads, the library's own would fight them for the cores.
    package static func useCallersThreads() { openblas_set_num_threads(1) }

    /// What the library says of itself, for logs.
    package static var libraryDescription: String {
        String(cString: openblas_get_config()) + " core " + String(cString: openblas_get_corename())
    }
}
