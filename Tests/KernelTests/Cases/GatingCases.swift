import Kernels
import TestSupport

extension KernelCases {
    static let gating: [KernelCase] =
        shapes { biasSilu($0, $1, hasBias: true) } + shapes { biasSilu($0, $1, hasBias: false) }
        + shapes { siluBackward($0, $1) } + shapes { swiglu($0, $1) } + shapes { swigluBackward($0, $1) }
        + shapes { gatedMix($0, $1, recalls: true) } + shapes { gatedMix($0, $1, recalls: false) }
        + shapes { gatedMixBackward($0, $1) }

    private static func biasSilu(_ rows: Int, _ cols: Int, hasBias: Bool) -> KernelCase {
        var noise = Noise(11)
        let (x, b) = (noise.floats(rows * cols, scale: 6), noise.floats(cols))
        return KernelCase("biasSilu", "\(rows) x \(cols)\(hasBias ? "" : " without bias")") { kernels, memory in
            kernels.tokens.gating.biasSilu(
                BiasSiluArguments(
                    x: memory.output("x", from: x, cols: cols, stride: cols + 3),
                    bias: hasBias ? memory.input(b) : nil,
                    y: memory.output("y", rows: rows, cols: cols, stride: cols + 2),
                    extent: Extent(rows: rows, columns: cols)))
        } expected: {
            let a = x.indices.map { Double(x[$0]) + (hasBias ? Double(b[$0 % cols]) : 0) }
            return ["x": a, "y": a.map(silu)]
        }
    }

    private static func siluBackward(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(12)
        let (x, dy) = (noise.floats(rows * cols, scale: 6), noise.floats(rows * cols))
        return KernelCase("siluBackward", "\(rows) x \(cols)", tolerance: Tolerance.gradient) { kernels, memory in
            kernels.tokens.gating.siluBackward(
                SiluBackwardArguments(
                    dx: memory.output("dx", rows: rows, cols: cols, stride: cols + 1),
                    dy: memory.input(dy, cols: cols, stride: cols + 2),
                    x: memory.input(x, cols: cols, stride: cols + 3), extent: Extent(rows: rows, columns: cols)))
        } expected: {
            ["dx": x.indices.map { Double(dy[$0]) * slope(silu, at: Double(x[$0])) }]
        }
    }

    /// h = silu(a1) a3 for one row a = (a1, a3).
    private static func swigluRow(_ a: [Double]) -> [Double] {
        let n = a.count / 2
        return (0..<n).map { silu(a[$0]) * a[n + $0] }
    }

    private static func swiglu(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(13)
        let a = noise.floats(rows * 2 * n, scale: 4)
        return KernelCase("swiglu", "\(rows) x \(n)") { kernels, memory in
            kernels.tokens.gating.swiglu(
                memory.output("h", rows: rows, cols: n), memory.input(a, cols: 2 * n), Extent(rows: rows, columns: n))
        } expected: {
            ["h": (0..<rows).flatMap { swigluRow(doubles(a.row($0, 2 * n))) }]
        }
    }

    private static func swigluBackward(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(14)
        let (a, dh) = (noise.floats(rows * 2 * n, scale: 4), noise.floats(rows * n))
        return KernelCase("swigluBackward", "\(rows) x \(n)", tolerance: Tolerance.gradient) { kernels, memory in
            kernels.tokens.gating.swigluBackward(
                SwigluBackwardArguments(
                    da: memory.output("da", rows: rows, cols: 2 * n), dh: memory.input(dh, cols: n),
                    a: memory.input(a, cols: 2 * n), extent: Extent(rows: rows, columns: n)))
        } expected: {
            [
                "da": (0..<rows).flatMap { t in
                    centralDifferences(at: a.row(t, 2 * n)) { inner(dh.row(t, n), swigluRow($0)) }
                }
            ]
        }
    }

    private static func gatedMix(_ rows: Int, _ cols: Int, recalls: Bool) -> KernelCase {
        var noise = Noise(15)
        let n = rows * cols
        let (sca, r, awm) = (noise.floats(n), noise.floats(n, scale: 4), noise.floats(n))
        return KernelCase("gatedMix", "\(rows) x \(cols)\(recalls ? "" : " without memory")") { kernels, memory in
            kernels.tokens.gating.gatedMix(
                GatedMixArguments(
                    mix: memory.output("mix", rows: rows, cols: cols), attended: memory.input(sca, cols: cols),
                    gate: memory.input(r, cols: cols, stride: cols + 3),
                    recalled: recalls ? memory.input(awm, cols: cols) : nil,
                    extent: Extent(rows: rows, columns: cols)))
        } expected: {
            ["mix": (0..<n).map { Double(sca[$0]) * silu(Double(r[$0])) + (recalls ? Double(awm[$0]) : 0) }]
        }
    }

    private static func gatedMixBackward(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(16)
        let n = rows * cols
        let (sca, r, dmix) = (noise.floats(n), noise.floats(n, scale: 4), noise.floats(n))
        return KernelCase("gatedMixBackward", "\(rows) x \(cols)", tolerance: Tolerance.gradient) { kernels, memory in
            kernels.tokens.gating.gatedMixBackward(
                GatedMixBackwardArguments(
                    dattended: memory.output("dsca", rows: rows, cols: cols),
                    dgate: memory.output("dr", rows: rows, cols: cols, stride: cols + 2),
                    dmix: memory.input(dmix, cols: cols), attended: memory.input(sca, cols: cols),
                    gate: memory.input(r, cols: cols, stride: cols + 3), extent: Extent(rows: rows, columns: cols)))
        } expected: {
            [
                "dsca": (0..<n).map { i in
                    slope({ Double(dmix[i]) * $0 * silu(Double(r[i])) }, at: Double(sca[i]))
                },
                "dr": (0..<n).map { i in slope({ Double(dmix[i]) * Double(sca[i]) * silu($0) }, at: Double(r[i])) },
            ]
        }
    }
}
