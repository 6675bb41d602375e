import COpenBLAS
import Hardware

/// Matrix products on pinned workers: OpenBLAS computes single-threaded row blocks of C, one per worker.
///
/// All matrices are row-major. Work is split over rows of the output only, at multiples of `grain`, and never in blocks longer than
/// `longest`: then every element is the same sum in the same order for any number of workers. OpenBLAS' AVX2 kernels (core types
/// Haswell and Zen, which `BLASEnvironment` selects) treat each whole block of 24 rows alike; columns have no such grain, and its AVX-512
/// kernels have none at all. `MatrixProductTests` holds it.
package enum MatrixProduct {
    /// Row blocks begin at multiples of this.
    package static let grain = 24
    /// Rows of one call at most: below the library's own block, whose position would matter.
    package static let longest = 3072

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
        for first in stride(from: 0, to: m, by: longest) {
            let rows = min(longest, m - first)
            let parts = min(team.count, max(1, rows / grain))
            team.forEach(parts) { part in
                let i0 = first + boundary(part, of: parts, rows: rows)
                let i1 = first + boundary(part + 1, of: parts, rows: rows)
                serial(
                    transA, transB, i1 - i0, n, k, a + (transA ? i0 : i0 * lda), lda, b, ldb, beta, c + i0 * ldc, ldc)
            }
        }
    }

    /// Where part `i` of `parts` begins: the multiple of `grain` nearest to an equal share.
    package static func boundary(_ i: Int, of parts: Int, rows: Int) -> Int {
        i == parts ? rows : (rows * i / parts + grain / 2) / grain * grain
    }

    /// Call once before the first product: our workers are the threads, the library's own would fight them for the cores.
    ///
    /// - Throws: when the loaded library is OpenBLAS' serial build, which computes wrong results when several threads call it.
    package static func useCallersThreads() throws {
        guard openblas_get_parallel() != 0 else { throw SerialBLASError() }
        openblas_set_num_threads(1)
    }

    /// The kernels that the library chose, such as "Haswell".
    package static var coreName: String { String(cString: openblas_get_corename()) }

    /// What the library says of itself, for logs.
    package static var libraryDescription: String { String(cString: openblas_get_config()) }

    /// Whether results are known not to depend on the number of workers (`grain` holds for these kernels).
    package static var isIndependentOfWorkers: Bool { ["Haswell", "Zen"].contains(coreName) }
}

/// The wrong build of OpenBLAS was loaded.
package struct SerialBLASError: Error, CustomStringConvertible {
    package var description: String {
        "the OpenBLAS found here is the serial build (\(MatrixProduct.libraryDescription)), which computes wrong results when several threads "
            + "call it: install libopenblas0-pthread and choose it (update-alternatives --config libopenblas.so.0-$(gcc -print-multiarch)), "
            + "or put its folder first in LD_LIBRARY_PATH"
    }
}
