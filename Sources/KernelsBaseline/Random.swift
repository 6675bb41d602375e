import CSIMD
import KernelInterface

// Dropout from the counter-based generator (Threefry-2x32-20, as Numerics.CounterGenerator): element i of a site draws
// word i of the site's stream, so the mask is the same in every layout and in the backward.

@inline(always) func threefry(
    _ k0: UInt32, _ k1: UInt32, _ c0: SIMD16<UInt32>, _ c1: SIMD16<UInt32>
) -> SIMD16<UInt32> {
    let k2 = 0x1BD1_1BDA ^ k0 ^ k1
    var x = c0 &+ k0
    var y = c1 &+ k1
    @inline(always) func round(_ r: UInt32) {
        x = x &+ y
        y = ((y &<< r) | (y &>> (32 &- r))) ^ x
    }
    @inline(always) func even() {
        round(13)
        round(15)
        round(26)
        round(6)
    }
    @inline(always) func odd() {
        round(17)
        round(29)
        round(16)
        round(24)
    }
    even()
    x = x &+ k1
    y = y &+ (k2 &+ 1)
    odd()
    x = x &+ k2
    y = y &+ (k0 &+ 2)
    even()
    x = x &+ k0
    y = y &+ (k1 &+ 3)
    odd()
    x = x &+ k1
    y = y &+ (k2 &+ 4)
    even()
    x = x &+ k2
    return x
}

/// y[t] = x[t] scaled by 1 / (1 - rate) where kept, `dropped` elsewhere; element (t, i) draws word first + t * stride +
/// i of the stream with key (k0, k1), and is dropped when its low 32 bits are below rate * 2^32. x, y [rows, n] with
/// row strides; y may be x.
func dropoutRows(_ a: DropoutArguments) {
    let (y, ldy, x, ldx) = (a.y.base, a.y.stride, a.x.base, a.x.stride)
    let (k0, k1, first, stride) = (a.words.key.word0, a.words.key.word1, a.words.first, a.words.perRow)
    let (threshold, scale, dropped) = (a.threshold, a.scale, a.dropped)
    let (rows, n) = (a.extent.rows, a.extent.columns)
    var t = 0
    while t < rows {
        let base = UInt64(truncatingIfNeeded: first &+ t &* stride)
        var i = 0
        while i < n {
            let start = base &+ UInt64(truncatingIfNeeded: i)
            let low = UInt32(truncatingIfNeeded: start)
            let high = UInt32(truncatingIfNeeded: start &>> 32)
            let c0 = SIMD16(repeating: low) &+ SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
            var c1 = SIMD16(repeating: high)
            // Carry into the high word where the low one wrapped.
            c1 = c1.replacing(with: high &+ 1, where: c0 .< SIMD16(repeating: low))
            let word = threefry(k0, k1, c0, c1)
            let v = (load(x + t &* ldx, i, upTo: n) * scale)
                .replacing(with: dropped, where: word .< SIMD16(repeating: threshold))
            store(y + t &* ldy, i, v, upTo: n)
            i &+= 16
        }
        t &+= 1
    }
}

/// out[i] = deviation g(first + i) for i < n, where g(j) are the standard normal numbers that Box-Muller makes of the
/// words of the stream with key (k0, k1) (csimd_normal.h): the very floats that the C library's functions give. NaN
/// where that isn't certain or |g| may not be below `limit`; returns how many those are.
func normals(_ a: NormalsArguments) -> Int {
    cs_normals(
        a.out, a.count, a.key.word0, a.key.word1, UInt64(truncatingIfNeeded: a.first), a.deviation, a.limit)
}

var randomKernels: RandomKernels {
    RandomKernels(dropoutRows: dropoutRows, normals: normals)
}
