import CSIMD

/// One AdamW step of n parameters; gradient g is first multiplied by `clip`. p = p (1 - decay) - rate m^ / (sqrt(v^) + eps) with
/// m^ = m c1, v^ = v c2 (c = 1 / (1 - beta^t)).
func adamW(
    _ p: MP, _ m: MP, _ v: MP, _ g: P, _ n: Int, _ clip: Float, _ beta1: Float, _ beta2: Float, _ c1: Float,
    _ c2: Float, _ rate: Float, _ decay: Float, _ eps: Float
) {
    var i = 0
    while i < n {
        let d = load(g, i, upTo: n) * clip
        let a = fma(all(1 - beta1), d, load(m, i, upTo: n) * beta1)
        let b = fma(all(1 - beta2), d * d, load(v, i, upTo: n) * beta2)
        store(m, i, a, upTo: n)
        store(v, i, b, upTo: n)
        let step = a * c1 / (cs_sqrt(b * c2) + eps)
        store(p, i, fma(all(-rate), step, load(p, i, upTo: n) * (1 - decay)), upTo: n)
        i &+= 16
    }
}

/// Sum of squares in double, in one fixed order. Not finite when any element isn't.
func sumOfSquares(_ x: P, _ n: Int) -> Double {
    var lo = SIMD8<Double>.zero
    var hi = SIMD8<Double>.zero
    var i = 0
    while i < n {
        let v = load(x, i, upTo: n)
        let a = SIMD8<Double>(v.lowHalf)
        let b = SIMD8<Double>(v.highHalf)
        lo += a * a
        hi += b * b
        i &+= 16
    }
    let s = lo + hi
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
}
