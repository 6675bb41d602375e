import CSIMD
import KernelInterface

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@inline(always) func logarithm(_ x: Float) -> Float { logf(x) }

/// Cross entropy of logits [rows, n] in nats: loss[t] = logsumexp - logit of target[t], 0 where the target is negative
/// (ignored). The loss is NaN when any logit isn't finite. The logits become the gradient (softmax - onehot) * scale in
/// place, 0 on ignored rows; not when `scale` is 0.
func crossEntropy(_ a: CrossEntropyArguments) {
    let (logits, targets, loss, scale) = (a.logits, a.targets, a.losses, a.scale)
    let (rows, n) = (a.extent.rows, a.extent.columns)
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

/// One AdamW step of n parameters; gradient g is first multiplied by `clip`. p = p (1 - decay) - rate m^ / (sqrt(v^) +
/// eps) with m^ = m c1, v^ = v c2 (c = 1 / (1 - beta^t)).
func adamW(_ a: AdamWArguments) {
    let (g, n) = (a.gradient, a.count)
    let (clip, beta1, beta2) = (a.step.clip, a.step.first.beta, a.step.second.beta)
    let (c1, c2) = (a.step.first.correction, a.step.second.correction)
    let (rate, decay, eps) = (a.step.rate, a.step.decay, a.step.eps)
    let (v, m, p) = (a.second, a.first, a.values)
    var i = 0
    while i < n {
        let d = load(g, i, upTo: n) * clip
        let mean = fma(all(1 - beta1), d, load(m, i, upTo: n) * beta1)
        let square = fma(all(1 - beta2), d * d, load(v, i, upTo: n) * beta2)
        store(m, i, mean, upTo: n)
        store(v, i, square, upTo: n)
        let step = mean * c1 / (cs_sqrt(square * c2) + eps)
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

var trainingKernels: TrainingKernels {
    TrainingKernels(crossEntropy: crossEntropy, adamW: adamW, sumOfSquares: sumOfSquares)
}
