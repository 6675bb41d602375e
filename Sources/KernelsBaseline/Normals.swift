import CSIMD

/// out[i] = deviation g(first + i) for i < n, where g(j) are the standard normal numbers that Box-Muller makes of the words of the stream with
/// key (k0, k1) (csimd_normal.h): the very floats that the C library's functions give. NaN where that isn't certain or |g| may not be below
/// `limit`; returns how many those are.
func normals(
    _ out: MP, _ n: Int, _ k0: UInt32, _ k1: UInt32, _ first: Int, _ deviation: Double, _ limit: Double
) -> Int {
    cs_normals(out, n, k0, k1, UInt64(truncatingIfNeeded: first), deviation, limit)
}
