import CSIMD

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@inline(always) func logarithm(_ x: Float) -> Float { logf(x) }

/// Cross entropy of logits [rows, n] in nats: loss[t] = logsumexp - logit of target[t], 0 where the target is negative (ignored). The
/// loss is NaN when any logit isn't finite. The
/// logits become the gradient (softmax - onehot) * scale in place, 0 on ignored rows; not when `scale` is 0.
func crossEntropy(
    _ logits: MP, _ targets: UnsafePointer<Int32>, _ loss: UnsafeMutablePointer<Double>, _ scale: Float, _ rows: Int,
    _ n: Int
) {
    var t = 0
    while t < rows {
        let x = logits + t &* n
        let target = Int(targets[t])
        if target < 0 {
            loss[t] = 0
            if scale != 0 { zero(x, 0, n) }
            t &+= 1
            continue
        }
        let m = rowMax(x, n)
        let chosen = x[target]
        var s = V.zero
        // Stays 0 unless a logit isn't finite: neither the maximum nor the exponential passes a NaN on.
        var check = V.zero
        var i = 0
        while i < n {
            let v = load(x, i, upTo: n)
            check = fma(v, .zero, check)
            var e = vexp(v - m)
            if n &- i < 16 { e = clear(e, from: n &- i) }
            if scale != 0 { store(x, i, e, upTo: n) }
            s += e
            i &+= 16
        }
        let sum = cs_hsum(s)
        loss[t] = Double(m) - Double(chosen) + log(Double(sum)) + Double(cs_hsum(check))
        if scale != 0 {
            let c = all(scale / sum)
            i = 0
            while i < n {
                store(x, i, load(x, i, upTo: n) * c, upTo: n)
                i &+= 16
            }
            x[target] -= scale
        }
        t &+= 1
    }
}
