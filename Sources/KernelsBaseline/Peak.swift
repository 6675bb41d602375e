import CSIMD

/// Runs `rounds` x 24 independent vector multiply-adds (2 x 16 flops each); returns a value that depends on all of
/// them.
func multiplyAddPeak(_ rounds: Int, _ x: Float) -> Float {
    var a0 = all(x), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0
    let b = all(0.999)
    let c = all(x * 0.001)
    var i = 0
    while i < rounds {
        var j = 0
        while j < 2 {
            a0 = fma(a0, b, c)
            a1 = fma(a1, b, c)
            a2 = fma(a2, b, c)
            a3 = fma(a3, b, c)
            a4 = fma(a4, b, c)
            a5 = fma(a5, b, c)
            a6 = fma(a6, b, c)
            a7 = fma(a7, b, c)
            a8 = fma(a8, b, c)
            a9 = fma(a9, b, c)
            a10 = fma(a10, b, c)
            a11 = fma(a11, b, c)
            j &+= 1
        }
        i &+= 1
    }
    let s = (a0 + a1 + a2 + a3) + (a4 + a5 + a6 + a7)
    return cs_hsum(s + (a8 + a9 + a10 + a11))
}
