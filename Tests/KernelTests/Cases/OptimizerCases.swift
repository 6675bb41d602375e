import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let optimizers: [KernelCase] = widths.flatMap { [adamW($0), sumOfSquares($0)] }

    private static func adamW(_ n: Int) -> KernelCase {
        var noise = Noise(111)
        let (p, m, g) = (noise.floats(n), noise.floats(n, scale: 0.1), noise.floats(n))
        let v = noise.floats(n, scale: 0.1).map { abs($0) }
        let (beta1, beta2, clip, rate, decay, eps): (Float, Float, Float, Float, Float, Float) = (
            0.9, 0.95, 0.5, 1e-2, 1e-3, 1e-8
        )
        let (c1, c2): (Float, Float) = (3.690037, 7.0112)  // 1 / (1 - beta^3)
        return KernelCase("adamW", "\(n)") { kernels, memory in
            kernels.training.adamW(
                AdamWArguments(
                    values: memory.output("p", from: p), first: memory.output("m", from: m),
                    second: memory.output("v", from: v), gradient: memory.input(g), count: n,
                    step: AdamWStep(
                        clip: clip, first: AdamWMoment(beta: beta1, correction: c1),
                        second: AdamWMoment(beta: beta2, correction: c2), rate: rate, decay: decay, eps: eps)))
        } expected: {
            var out: [String: [Double]] = ["p": [], "m": [], "v": []]
            for i in 0..<n {
                let d = Double(g[i]) * Double(clip)
                let a = Double(beta1) * Double(m[i]) + (1 - Double(beta1)) * d
                let b = Double(beta2) * Double(v[i]) + (1 - Double(beta2)) * d * d
                out["m"]!.append(a)
                out["v"]!.append(b)
                let step = a * Double(c1) / ((b * Double(c2)).squareRoot() + Double(eps))
                out["p"]!.append(Double(p[i]) * (1 - Double(decay)) - Double(rate) * step)
            }
            return out
        }
    }

    private static func sumOfSquares(_ n: Int) -> KernelCase {
        var noise = Noise(112)
        let x = noise.floats(n)
        return KernelCase("sumOfSquares", "\(n)", tolerance: 1e-14) { kernels, memory in
            memory.output("sum", doubles: 1).pointee = kernels.training.sumOfSquares(memory.input(x), n)
        } expected: {
            ["sum": [x.reduce(0) { $0 + Double($1) * Double($1) }]]
        }
    }
}
