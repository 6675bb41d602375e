import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let softmaxes: [KernelCase] =
        shapes { softmaxRows($0, $1) } + shapes { softmaxRowsBackward($0, $1, adds: false) }
        + shapes { softmaxRowsBackward($0, $1, adds: true) } + shapes { rowDots($0, $1) }
        + widths.flatMap { n in [1, 2, 7].flatMap { [softmaxColumns($0, n), softmaxColumnsBackward($0, n)] } }
        + shapes { maskDocuments($0, $1) }

    static func softmax(_ x: [Double]) -> [Double] {
        let top = x.max() ?? 0
        let e = x.map { exp($0 - top) }
        let total = e.reduce(0, +)
        return e.map { $0 / total }
    }

    private static func softmaxRows(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(61)
        let x = noise.floats(rows * n, scale: 8)
        return KernelCase("softmaxRows", "\(rows) x \(n)") { kernels, memory in
            kernels.sequences.softmax.softmaxRows(
                memory.output("y", rows: rows, cols: n, stride: n + 3), memory.input(x, cols: n, stride: n + 2),
                Extent(rows: rows, columns: n))
        } expected: {
            ["y": (0..<rows).flatMap { softmax(doubles(x.row($0, n))) }]
        }
    }

    private static func softmaxRowsBackward(_ rows: Int, _ n: Int, adds: Bool) -> KernelCase {
        var noise = Noise(62)
        let (x, dy, dx) = (noise.floats(rows * n, scale: 3), noise.floats(rows * n), noise.floats(rows * n))
        let y = (0..<rows).flatMap { softmax(doubles(x.row($0, n))) }.map { Float($0) }
        return KernelCase(
            "softmaxRowsBackward", "\(rows) x \(n)\(adds ? ", added" : "")", tolerance: Tolerance.gradient
        ) { kernels, memory in
            kernels.sequences.softmax.softmaxRowsBackward(
                SoftmaxRowsBackwardArguments(
                    dx: adds
                        ? memory.output("dx", from: dx, cols: n, stride: n + 1)
                        : memory.output("dx", rows: rows, cols: n, stride: n + 1),
                    dy: memory.input(dy, cols: n, stride: n + 2), y: memory.input(y, cols: n, stride: n + 3),
                    extent: Extent(rows: rows, columns: n), adds: adds))
        } expected: {
            [
                "dx": (0..<rows).flatMap { t in
                    let gradient = centralDifferences(at: x.row(t, n)) { inner(dy.row(t, n), softmax($0)) }
                    return gradient.indices.map { gradient[$0] + (adds ? Double(dx[t * n + $0]) : 0) }
                }
            ]
        }
    }

    private static func rowDots(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(63)
        let (x, y) = (noise.floats(rows * n), noise.floats(rows * n))
        return KernelCase("rowDots", "\(rows) x \(n)") { kernels, memory in
            kernels.sequences.attention.rowDots(
                memory.output("delta", rows: rows, cols: 1), memory.input(x, cols: n, stride: n + 2),
                memory.input(y, cols: n, stride: n + 3), Extent(rows: rows, columns: n))
        } expected: {
            ["delta": (0..<rows).map { inner(doubles(x.row($0, n)), doubles(y.row($0, n))) }]
        }
    }

    /// Each column's softmax over time and its log-sum-exp, from a column.
    private static func column(_ k: [Double]) -> (w: [Double], lse: Double) {
        let top = k.max() ?? 0
        return (softmax(k), top + log(k.reduce(0) { $0 + exp($1 - top) }))
    }

    private static func columns<Element>(_ x: [Element], _ n: Int) -> [[Element]] {
        (0..<n).map { i in stride(from: i, to: x.count, by: n).map { x[$0] } }
    }

    private static func softmaxColumns(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(64)
        let k = noise.floats(rows * n, scale: 8)
        return KernelCase("softmaxColumns", "\(rows) x \(n)") { kernels, memory in
            kernels.sequences.softmax.softmaxColumns(
                memory.output("w", rows: rows, cols: n, stride: n + 1), memory.output("lse", rows: 1, cols: n),
                memory.input(k, cols: n, stride: n + 2), Extent(rows: rows, columns: n))
        } expected: {
            let each = columns(doubles(k), n).map { column($0) }
            return ["w": (0..<rows).flatMap { t in each.map { $0.w[t] } }, "lse": each.map(\.lse)]
        }
    }

    private static func softmaxColumnsBackward(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(65)
        let (k, dw, dk) = (noise.floats(rows * n, scale: 3), noise.floats(rows * n), noise.floats(rows * n))
        let ds = noise.floats(n)
        let each = columns(doubles(k), n).map { column($0).w }
        let w = (0..<rows).flatMap { t in each.map { Float($0[t]) } }
        return KernelCase("softmaxColumnsBackward", "\(rows) x \(n)", tolerance: Tolerance.gradient) {
            kernels, memory in
            kernels.sequences.softmax.softmaxColumnsBackward(
                SoftmaxColumnsBackwardArguments(
                    dx: memory.output("dk", from: dk, cols: n, stride: n + 1),
                    dy: memory.input(dw, cols: n, stride: n + 2), y: memory.input(w, cols: n, stride: n + 3),
                    dlogSum: memory.input(ds), extent: Extent(rows: rows, columns: n)))
        } expected: {
            let (ups, keys) = (columns(dw, n), columns(k, n))
            let gradients = (0..<n).map { i in
                centralDifferences(at: keys[i]) {
                    let c = column($0)
                    return inner(ups[i], c.w) + Double(ds[i]) * c.lse
                }
            }
            return ["dk": dk.indices.map { Double(dk[$0]) + gradients[$0 % n][$0 / n] }]
        }
    }

    private static func maskDocuments(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(66)
        let s = noise.floats(rows * cols)
        let mine = (0..<rows).map { Int32(3 + $0 / 3) }
        let theirs = (0..<cols).map { Int32(2 + $0 / 4) }
        return KernelCase("maskDocuments", "\(rows) x \(cols)") { kernels, memory in
            kernels.sequences.attention.maskDocuments(
                MaskDocumentsArguments(
                    scores: memory.output("s", from: s, cols: cols, stride: cols + 3),
                    extent: Extent(rows: rows, columns: cols),
                    rowDocuments: memory.integers(mine), columnDocuments: memory.integers(theirs)))
        } expected: {
            ["s": s.indices.map { mine[$0 / cols] == theirs[$0 % cols] ? Double(s[$0]) : -.infinity }]
        }
    }
}
