import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let biasedAttentions: [KernelCase] =
        [
            CausalShape(rows: 1, cols: 1, seen: 1), CausalShape(rows: 7, cols: 7, seen: 1),
            CausalShape(rows: 7, cols: 5, seen: 1), CausalShape(rows: 7, cols: 33, seen: 27),
            CausalShape(rows: 20, cols: 17, seen: 17), CausalShape(rows: 0, cols: 16, seen: 4),
            CausalShape(rows: 9, cols: 12, seen: -3), CausalShape(rows: 7, cols: 40, seen: 40),
            CausalShape(rows: 7, cols: 40, seen: 18, isHidden: { t, j in t == 2 || t == 5 || j < 4 }),
        ].flatMap { shape in
            [addDistanceBias(shape), addDiagonals(shape)]
                + [WeightFunction.laplace, .squaredReLU].flatMap { [weights(shape, $0), weightsBackward(shape, $0)] }
        }

    enum WeightFunction: String, Sendable {
        case laplace, squaredReLU

        func value(_ s: Double) -> Double {
            switch self {
            case .laplace: 0.5 * erfc((0.707107 - s) / (0.282095 * 2.0.squareRoot()))
            case .squaredReLU: max(s, 0) * max(s, 0)
            }
        }

        func weights(_ kernels: BiasedAttentionKernels) -> @Sendable (MutableFloatRows, Extent, Int) -> Void {
            self == .laplace ? kernels.laplaceWeights : kernels.squaredReLUWeights
        }

        func backward(
            _ kernels: BiasedAttentionKernels
        ) -> @Sendable (MutableFloatRows, MutableFloatRows, Extent, Int) -> Void {
            self == .laplace ? kernels.laplaceBackward : kernels.squaredReLUBackward
        }
    }

    /// Entries of a bias that the shape reads, from that of the last row's first column on.
    private static func entries(_ s: CausalShape) -> Int { max(1, s.rows - 1 + min(s.cols, s.seen)) }

    private static func addDistanceBias(_ s: CausalShape) -> KernelCase {
        var noise = Noise(91)
        let (scores, bias) = (s.scores(&noise), noise.floats(entries(s)))
        return KernelCase("addDistanceBias", s.text) { kernels, memory in
            kernels.sequences.biasedAttention.addDistanceBias(
                memory.output("s", from: scores, cols: s.cols, stride: s.ld), s.extent, s.seen,
                memory.input(bias) + max(0, s.rows - 1))
        } expected: {
            [
                "s": scores.indices.map { k in
                    let (t, j) = (k / s.cols, k % s.cols)
                    return Double(scores[k]) + (j < s.seen + t ? Double(bias[s.rows - 1 + j - t]) : 0)
                }
            ]
        }
    }

    private static func addDiagonals(_ s: CausalShape) -> KernelCase {
        var noise = Noise(92)
        let (gradients, first) = (noise.floats(s.rows * s.cols), noise.floats(entries(s)))
        return KernelCase("addDiagonals", s.text) { kernels, memory in
            kernels.sequences.biasedAttention.addDiagonals(
                memory.output("sums", from: first) + max(0, s.rows - 1),
                memory.input(gradients, cols: s.cols, stride: s.ld), s.extent, s.seen)
        } expected: {
            var sums = doubles(first)
            for k in gradients.indices where k % s.cols < s.seen + k / s.cols {
                sums[s.rows - 1 + k % s.cols - k / s.cols] += Double(gradients[k])
            }
            return ["sums": sums]
        }
    }

    private static func weights(_ s: CausalShape, _ f: WeightFunction) -> KernelCase {
        var noise = Noise(93)
        let scores = s.scores(&noise)
        return KernelCase("\(f)Weights", s.text) { kernels, memory in
            f.weights(kernels.sequences.biasedAttention)(
                memory.output("s", from: scores, cols: s.cols, stride: s.ld), s.extent, s.seen)
        } expected: {
            ["s": scores.indices.map { s.sees($0 / s.cols, $0 % s.cols) ? f.value(Double(scores[$0])) : 0 }]
        }
    }

    private static func weightsBackward(_ s: CausalShape, _ f: WeightFunction) -> KernelCase {
        var noise = Noise(94)
        let (scores, up) = (s.scores(&noise), noise.floats(s.rows * s.cols))
        return KernelCase("\(f)Backward", s.text, tolerance: Tolerance.gradient) { kernels, memory in
            f.backward(kernels.sequences.biasedAttention)(
                memory.output("w", from: scores, cols: s.cols, stride: s.ld),
                memory.output("ds", from: up, cols: s.cols, stride: s.ld + 1), s.extent, s.seen)
        } expected: {
            func each(_ value: (Int) -> Double) -> [Double] {
                scores.indices.map { s.sees($0 / s.cols, $0 % s.cols) ? value($0) : 0 }
            }
            return [
                "w": each { f.value(Double(scores[$0])) },
                "ds": each { Double(up[$0]) * slope(f.value, at: Double(scores[$0])) },
            ]
        }
    }
}
