import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let losses: [KernelCase] = widths.flatMap { n in
        [0, 1, 7].flatMap { [crossEntropy($0, n, scale: 0.25), crossEntropy($0, n, scale: 0)] }
    }

    private static func crossEntropy(_ rows: Int, _ n: Int, scale: Double) -> KernelCase {
        var noise = Noise(101)
        let x = noise.floats(rows * n, scale: 10)
        // The first and the last class, some between, and two ignored rows.
        let targets = (0..<rows).map { Int32([0, n - 1, -1, n / 2, -100, 0, n - 1][$0]) }
        @Sendable func loss(_ x: [Double], _ t: Int) -> Double {
            if targets[t] < 0 { return 0 }
            let top = x.max() ?? 0
            return top + log(x.reduce(0) { $0 + exp($1 - top) }) - x[Int(targets[t])]
        }
        return KernelCase("crossEntropy", "\(rows) x \(n), scale \(scale)") { kernels, memory in
            kernels.training.crossEntropy(
                CrossEntropyArguments(
                    logits: memory.output("logits", from: x, cols: n), targets: memory.integers(targets),
                    losses: memory.output("loss", doubles: rows), scale: Float(scale),
                    extent: Extent(rows: rows, columns: n)))
        } expected: {
            let gradient = (0..<rows).flatMap { t in
                centralDifferences(at: x.row(t, n)) { scale * loss($0, t) }
            }
            return [
                "loss": (0..<rows).map { loss(doubles(x.row($0, n)), $0) },
                "logits": scale == 0 ? doubles(x) : gradient,
            ]
        }
    }
}
