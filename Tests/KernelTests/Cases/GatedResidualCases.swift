import Kernels
import TestSupport

/// The kernels by which a Mega gates its residual, and those of its queries and keys.
extension KernelCases {
    static let gatedResiduals: [KernelCase] =
        shapes { gatedResidual($0, $1) } + shapes { gatedResidualBackward($0, $1) } + shapes { affineViews($0, $1) }
        + shapes { affineViewsBackward($0, $1) } + shapes { addProductRow($0, $1) }

    private static func gated(_ x: Double, _ gate: Double, _ candidate: Double) -> Double {
        x + sigmoid(gate) * (silu(candidate) - x)
    }

    private struct GatedData {
        let x, gate, candidate: [Float]

        init(_ count: Int, seed: Int) {
            var noise = Noise(seed)
            (x, gate, candidate) = (noise.floats(count), noise.floats(count, scale: 4), noise.floats(count, scale: 4))
        }

        func inputs(_ memory: KernelMemory, cols: Int) -> GatedResidualInputs {
            GatedResidualInputs(
                x: memory.input(x, cols: cols, stride: cols + 1),
                gate: memory.input(gate, cols: cols, stride: cols + 2),
                candidate: memory.input(candidate, cols: cols, stride: cols + 3))
        }
    }

    private static func gatedResidual(_ rows: Int, _ cols: Int) -> KernelCase {
        let data = GatedData(rows * cols, seed: 17)
        return KernelCase("gatedResidual", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.gating.gatedResidual(
                GatedResidualArguments(
                    y: memory.output("y", rows: rows, cols: cols, stride: cols + 4),
                    inputs: data.inputs(memory, cols: cols), extent: Extent(rows: rows, columns: cols)))
        } expected: {
            ["y": data.x.indices.map { gated(Double(data.x[$0]), Double(data.gate[$0]), Double(data.candidate[$0])) }]
        }
    }

    private static func gatedResidualBackward(_ rows: Int, _ cols: Int) -> KernelCase {
        let data = GatedData(rows * cols, seed: 18)
        var noise = Noise(19)
        let dy = noise.floats(rows * cols)
        return KernelCase(
            "gatedResidualBackward", "\(rows) x \(cols)", tolerance: Tolerance.gradient
        ) { kernels, memory in
            kernels.tokens.gating.gatedResidualBackward(
                GatedResidualBackwardArguments(
                    dx: memory.output("dx", rows: rows, cols: cols, stride: cols + 1),
                    dgate: memory.output("dgate", rows: rows, cols: cols, stride: cols + 2),
                    dcandidate: memory.output("dcandidate", rows: rows, cols: cols, stride: cols + 3),
                    dy: memory.input(dy, cols: cols, stride: cols + 4), forward: data.inputs(memory, cols: cols),
                    extent: Extent(rows: rows, columns: cols)))
        } expected: {
            func slopes(_ f: (Double, Double, Double, Double) -> Double) -> [Double] {
                dy.indices.map { i in
                    Double(dy[i])
                        * slope({ f($0, Double(data.x[i]), Double(data.gate[i]), Double(data.candidate[i])) }, at: 0)
                }
            }
            return [
                "dx": slopes { gated($1 + $0, $2, $3) }, "dgate": slopes { gated($1, $2 + $0, $3) },
                "dcandidate": slopes { gated($1, $2, $3 + $0) },
            ]
        }
    }

    private static func affineViews(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(86)
        let (z, gamma, beta) = (noise.floats(rows * n), noise.floats(2 * n), noise.floats(2 * n))
        return KernelCase("affineViews", "\(rows) x \(n)") { kernels, memory in
            kernels.tokens.queries.affineViews(
                AffineViewsArguments(
                    q: memory.output("q", rows: rows, cols: n, stride: n + 1),
                    k: memory.output("k", rows: rows, cols: n, stride: n + 2),
                    z: memory.input(z, cols: n, stride: n + 3), gamma: memory.input(gamma), beta: memory.input(beta),
                    extent: Extent(rows: rows, columns: n)))
        } expected: {
            func view(_ j: Int) -> [Double] {
                z.indices.map { Double(z[$0]) * Double(gamma[j * n + $0 % n]) + Double(beta[j * n + $0 % n]) }
            }
            return ["q": view(0), "k": view(1)]
        }
    }

    private static func affineViewsBackward(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(87)
        let (dq, dk, gamma) = (noise.floats(rows * n), noise.floats(rows * n), noise.floats(2 * n))
        return KernelCase("affineViewsBackward", "\(rows) x \(n)") { kernels, memory in
            kernels.tokens.queries.affineViewsBackward(
                AffineViewsBackwardArguments(
                    dz: memory.output("dz", rows: rows, cols: n, stride: n + 1),
                    dq: memory.input(dq, cols: n, stride: n + 2), dk: memory.input(dk, cols: n, stride: n + 3),
                    gamma: memory.input(gamma), extent: Extent(rows: rows, columns: n)))
        } expected: {
            [
                "dz": dq.indices.map {
                    Double(dq[$0]) * Double(gamma[$0 % n]) + Double(dk[$0]) * Double(gamma[n + $0 % n])
                }
            ]
        }
    }

    private static func addProductRow(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(7)
        let (x, y, w) = (noise.floats(rows * cols), noise.floats(rows * cols), noise.floats(cols))
        return KernelCase("addProductRow", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.elementwise.addProductRow(
                memory.output("y", from: y, cols: cols, stride: cols + 3),
                memory.input(x, cols: cols, stride: cols + 2), memory.input(w), Extent(rows: rows, columns: cols))
        } expected: {
            ["y": x.indices.map { Double(y[$0]) + Double(x[$0]) * Double(w[$0 % cols]) }]
        }
    }
}
