// Rules of this folder, which is compiled once per CPU level: raw pointers and SIMD16 only; no Array and no closures or
// generics of the standard library (their specialisations are weak symbols, which the linker would merge across
// levels); every helper @inline(always); &+ and &* on indices; `fma` for a multiply and add. A sum's order never
// depends on how work is shared. In which order a kernel takes its arguments apart moves instructions (registers are
// few): InstructionCountTests tells.
import CSIMD

public typealias V = SIMD16<Float>
public typealias P = UnsafePointer<Float>
public typealias MP = UnsafeMutablePointer<Float>

@inline(always) func load(_ p: P, _ i: Int) -> V { UnsafeRawPointer(p + i).loadUnaligned(as: V.self) }
@inline(always) func load(_ p: MP, _ i: Int) -> V { UnsafeRawPointer(p + i).loadUnaligned(as: V.self) }
@inline(always) func store(_ p: MP, _ i: Int, _ v: V) { UnsafeMutableRawPointer(p + i).storeBytes(of: v, as: V.self) }

/// Lanes `i..<min(i + 16, n)`, zeros above.
@inline(always) func load(_ p: P, _ i: Int, upTo n: Int) -> V {
    n &- i >= 16 ? load(p, i) : cs_load_first(p + i, n &- i)
}
@inline(always) func load(_ p: MP, _ i: Int, upTo n: Int) -> V { load(P(p), i, upTo: n) }
@inline(always) func store(_ p: MP, _ i: Int, _ v: V, upTo n: Int) {
    if n &- i >= 16 { store(p, i, v) } else { cs_store_first(p + i, v, n &- i) }
}

@inline(always) func all(_ x: Float) -> V { V(repeating: x) }

/// a * b + c, rounded once where the CPU can.
@inline(always) func fma(_ a: V, _ b: V, _ c: V) -> V {
    #if BASELINE && arch(x86_64)
        a * b + c
    #else
        c.addingProduct(a, b)
    #endif
}

/// e^x, relative error below 2e-7; 0 for x < -87.3 (-infinity included), finite above 88.
@inline(always) func vexp(_ x0: V) -> V {
    let x = cs_max(cs_min(x0, all(88.3)), all(-88))
    // x = m ln 2 + r; adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    let t = fma(x, all(1.44269504), all(12582912))
    let m = t - 12582912
    let r = fma(m, all(2.12194440e-4), fma(m, all(-0.693359375), x))
    var p = all(1.9875691500e-4)
    p = fma(p, r, all(1.3981999507e-3))
    p = fma(p, r, all(8.3334519073e-3))
    p = fma(p, r, all(4.1665795894e-2))
    p = fma(p, r, all(1.6666665459e-1))
    p = fma(p, r, all(5.0000001201e-1))
    let e = fma(p, r * r, r) + 1
    let bits = unsafeBitCast(e, to: SIMD16<Int32>.self) &+ (unsafeBitCast(t, to: SIMD16<Int32>.self) &<< 23)
    return unsafeBitCast(bits, to: V.self).replacing(with: 0, where: x0 .< -87.3)
}

@inline(always) func sigmoid(_ x: V) -> V { 1 / (1 + vexp(-x)) }
