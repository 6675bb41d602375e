import Kernels
import TestSupport

extension KernelCases {
    static let memories: [KernelCase] = shapes { blendRows($0, $1) } + shapes { blendRowsBackward($0, $1) }

    /// rho by row, its ends included.
    private static let rates: [Float] = [0.7, 1, 0, 0.25, 0.9, 0.01, 0.5]

    private static func blend(_ m: [Double], _ u: [Double], _ rho: Double) -> [Double] {
        m.indices.map { m[$0] + rho * (u[$0] - m[$0]) }
    }

    private static func blendRows(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(91)
        let (m, u) = (noise.floats(rows * cols), noise.floats(rows * cols))
        let rho = Array(rates.prefix(rows))
        return KernelCase("blendRows", "\(rows) x \(cols)") { kernels, memory in
            kernels.sequences.memory.blendRows(
                BlendRowsArguments(
                    out: memory.output("out", rows: rows, cols: cols), memory: memory.input(m, cols: cols),
                    update: memory.input(u, cols: cols), rho: memory.input(rho),
                    extent: Extent(rows: rows, columns: cols)))
        } expected: {
            ["out": (0..<rows).flatMap { blend(doubles(m.row($0, cols)), doubles(u.row($0, cols)), Double(rho[$0])) }]
        }
    }

    /// e is the gradient of log rho: rho sum dM' (U - M).
    private static func blendRowsBackward(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(92)
        let (m, u, dm) = (noise.floats(rows * cols), noise.floats(rows * cols), noise.floats(rows * cols))
        let rho = Array(rates.prefix(rows))
        return KernelCase("blendRowsBackward", "\(rows) x \(cols)", tolerance: Tolerance.gradient) { kernels, memory in
            kernels.sequences.memory.blendRowsBackward(
                BlendRowsBackwardArguments(
                    dlogRho: memory.output("e", rows: rows, cols: 1),
                    dupdate: memory.output("du", rows: rows, cols: cols),
                    dmemory: memory.output("dm", from: dm, cols: cols), memory: memory.input(m, cols: cols),
                    update: memory.input(u, cols: cols), rho: memory.input(rho),
                    extent: Extent(rows: rows, columns: cols)))
        } expected: {
            func gradient(_ part: Int) -> [[Double]] {
                (0..<rows).map { t in
                    let arguments = [doubles(m.row(t, cols)), doubles(u.row(t, cols)), [Double(rho[t])]]
                    return centralDifferences(at: arguments[part]) {
                        var moved = arguments
                        moved[part] = $0
                        return inner(dm.row(t, cols), blend(moved[0], moved[1], moved[2][0]))
                    }
                }
            }
            return [
                "dm": gradient(0).flatMap { $0 }, "du": gradient(1).flatMap { $0 },
                "e": gradient(2).enumerated().map { Double(rho[$0]) * $1[0] },
            ]
        }
    }
}
