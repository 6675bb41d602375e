import CCPU
import COpenBLAS
import Glibc

/// OpenBLAS as a library that is opened when it is first asked for, and computes on the threads that call it only.
package struct OpenBLASLibrary: Sendable {
    /// Such as "0.3.21".
    package let version: String
    /// The kernels that it has chosen for this CPU, such as "Haswell".
    package let coreType: String
    /// A function of the library: no state, and the library stays open.
    private nonisolated(unsafe) let sgemm: copenblas_sgemm

    private static let file = "libopenblas.so.0"

    /// The library, opened by the first that asks; before there are other threads, as it is told by the environment.
    package static let opened = Result<OpenBLASLibrary, MatrixEngineError> { () throws(MatrixEngineError) in
        try OpenBLASLibrary()
    }

    private init() throws(MatrixEngineError) {
        // The library reads its environment once, while it is loaded.
        let settings =
            ["OPENBLAS_NUM_THREADS": "1"]
            .merging(Self.coreTypeToAskFor.map { ["OPENBLAS_CORETYPE": $0] } ?? [:]) { $1 }
        let library: UnsafeMutableRawPointer? = Self.with(environment: settings) {
            dlopen(Self.file, RTLD_NOW | RTLD_LOCAL)
        }
        guard let library else {
            throw MatrixEngineError(
                "\(Self.file) cannot be opened (\(String(cString: dlerror()))). \(Self.advice)")
        }
        func find<Function>(_ name: String, _: Function.Type) throws(MatrixEngineError) -> Function {
            guard let address = dlsym(library, name) else {
                throw MatrixEngineError("the \(Self.file) found here has no \(name): it is no OpenBLAS. \(Self.advice)")
            }
            return unsafeBitCast(address, to: Function.self)
        }
        let config = String(
            cString: try find("openblas_get_config", (@convention(c) () -> UnsafePointer<CChar>).self)())
        let isParallel = try find("openblas_get_parallel", (@convention(c) () -> CInt).self)()
        guard isParallel == Self.pthreads else {
            let kind = isParallel == 0 ? "serial build" : "build with OpenMP"
            let reason =
                isParallel == 0
                ? "which computes wrong results when several threads call it"
                : "whose threads would fight ours for the cores"
            throw MatrixEngineError(
                "the \(Self.file) found here is OpenBLAS' \(kind) (\(config)), \(reason). \(Self.advice)")
        }
        try find("openblas_set_num_threads", (@convention(c) (CInt) -> Void).self)(1)
        sgemm = try find("cblas_sgemm", copenblas_sgemm.self)
        coreType = String(
            cString: try find("openblas_get_corename", (@convention(c) () -> UnsafePointer<CChar>).self)())
        let words = config.split(separator: " ")
        version = words.count > 1 ? String(words[1]) : "of an unknown version"
    }

    /// What `openblas_get_parallel` says of the build with POSIX threads.
    private static let pthreads: CInt = 1

    private static let advice =
        "Install libopenblas0-pthread; where there are several builds, choose it (update-alternatives --config "
        + "libopenblas.so.0-$(gcc -print-multiarch)) or put its folder first in LD_LIBRARY_PATH. Or set "
        + "machine.matrices to \"tiles\""

    /// AMD's cores with AVX-512 are fastest with the AVX2 kernels, which the library would not choose for them.
    /// Elsewhere, and where the user says so, the library chooses.
    private static var coreTypeToAskFor: String? {
        getenv("OPENBLAS_CORETYPE") == nil && ccpu_level() >= 4 && ccpu_is_amd() != 0 ? "Zen" : nil
    }

    /// Runs the body with these variables set, and sets them back: what we start later is not to inherit them.
    private static func with<Value>(environment: [String: String], _ body: () -> Value) -> Value {
        let before = environment.map { name, _ in (name, getenv(name).map { String(cString: $0) }) }
        for (name, value) in environment { setenv(name, value, 1) }
        defer {
            for (name, value) in before {
                if let value { setenv(name, value, 1) } else { unsetenv(name) }
            }
        }
        return body()
    }

    /// The product on the calling thread.
    @inline(__always)
    func multiply(_ p: Product) {
        sgemm(
            CblasRowMajor, p.left.isTransposed ? CblasTrans : CblasNoTrans,
            p.right.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(p.rows), blasint(p.columns), blasint(p.depth), p.scale, p.left.base, blasint(p.left.stride),
            p.right.base, blasint(p.right.stride), p.result.adds ? 1 : 0, p.result.base, blasint(p.result.stride))
    }
}
