import CCPU
import Glibc

/// OpenBLAS reads its environment when it is loaded, before `main`: settings need a fresh start of the program.
package enum BLASEnvironment {
    /// Starts the program again with the core type that is fastest and splits exactly (AVX2 kernels; see `MatrixProduct`), unless the
    /// environment names one already or the CPU lacks AVX2. Call first thing in `main`: before MPI, threads and files.
    package static func select() {
        guard getenv("OPENBLAS_CORETYPE") == nil, ccpu_level() >= 3 else { return }
        setenv("OPENBLAS_CORETYPE", "Haswell", 1)
        setenv("OPENBLAS_NUM_THREADS", "1", 0)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        // Only reached when the program could not be started again: it then runs with the library's own choice.
    }
}
