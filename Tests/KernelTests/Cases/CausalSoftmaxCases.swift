import Glibc
import Kernels
import TestSupport

extension KernelCases {
    static let causalSoftmaxes: [KernelCase] =
        [
            // Whole tiles, tiles whose keys end before the rows do, rows that see everything, and hidden keys.
            CausalShape(rows: 1, cols: 1, seen: 1), CausalShape(rows: 7, cols: 7, seen: 1),
            CausalShape(rows: 7, cols: 5, seen: 1), CausalShape(rows: 7, cols: 15, seen: 9),
            CausalShape(rows: 7, cols: 33, seen: 27), CausalShape(rows: 7, cols: 24, seen: 16),
            CausalShape(rows: 7, cols: 17, seen: 17), CausalShape(rows: 0, cols: 16, seen: 4),
            CausalShape(rows: 7, cols: 40, seen: 10, isHidden: { ($0 + $1) % 3 == 0 }),
            // Rows 2 and 5 see nothing at all.
            CausalShape(rows: 7, cols: 40, seen: 18, isHidden: { t, j in t == 2 || t == 5 || j < 4 }),
            CausalShape(rows: 3, cols: 9, seen: 4, isHidden: { t, _ in t == 0 }),
        ].flatMap { [causalExponentials($0), causalSoftmaxBackward($0)] }
        + [CausalShape(rows: 9, cols: 12, seen: -3)].map(causalSoftmaxBackward)
        + [
            CausalShape(rows: 7, cols: 40, seen: 40), CausalShape(rows: 7, cols: 17, seen: -3),
            CausalShape(rows: 1, cols: 1, seen: 1), CausalShape(rows: 0, cols: 16, seen: 4),
            CausalShape(rows: 7, cols: 33, seen: 20, isHidden: { t, j in t == 2 || t == 5 || j < 4 }),
        ].flatMap { [continuing($0, begun: true), continuing($0, begun: false)] }
        + shapes { divideRows($0, $1) } + shapes { multiplyRows($0, $1) }

    struct CausalShape {
        let rows, cols, seen: Int
        var isHidden: @Sendable (_ row: Int, _ col: Int) -> Bool = { _, _ in false }
        var ld: Int { cols + 3 }
        var extent: Extent { Extent(rows: rows, columns: cols) }
        var text: String { "\(rows) x \(cols), \(seen) seen" }

        func sees(_ t: Int, _ j: Int) -> Bool { j < min(cols, seen + t) && !isHidden(t, j) }

        /// Finite scores, -infinity where hidden; columns not yet reached hold what must not matter.
        func scores(_ noise: inout Noise) -> [Float] {
            let s = noise.floats(rows * cols, scale: 5)
            return s.indices.map { isHidden($0 / cols, $0 % cols) ? -.infinity : s[$0] }
        }

        /// Row `t`'s probabilities, its largest score and the sum of exponentials; a row that sees nothing is 0.
        func row(_ t: Int, _ s: [Double]) -> (p: [Double], top: Double, total: Double) {
            let visible = (0..<cols).filter { sees(t, $0) }
            let top = visible.map { s[$0] }.max() ?? -.infinity
            var p = [Double](repeating: 0, count: cols)
            var total = 0.0
            for j in visible {
                p[j] = exp(s[j] - top)
                total += p[j]
            }
            return (p.map { total > 0 ? $0 / total : 0 }, top, total)
        }
    }

    private static func causalExponentials(_ s: CausalShape) -> KernelCase {
        var noise = Noise(71)
        let scores = s.scores(&noise)
        return KernelCase("causalExponentials", s.text) { kernels, memory in
            kernels.sequences.attention.causalExponentials(
                CausalExponentialsArguments(
                    scores: memory.output("s", from: scores, cols: s.cols, stride: s.ld), extent: s.extent,
                    seen: s.seen, top: memory.output("top", rows: s.rows, cols: 1),
                    total: memory.output("total", rows: s.rows, cols: 1)))
        } expected: {
            let each = (0..<s.rows).map { s.row($0, doubles(scores.row($0, s.cols))) }
            return [
                "s": each.flatMap { row in row.p.map { $0 * row.total } }, "top": each.map(\.top),
                "total": each.map(\.total),
            ]
        }
    }

    /// - Parameter begun: whether rows have seen something before; the first one hasn't in any case
    private static func continuing(_ s: CausalShape, begun: Bool) -> KernelCase {
        var noise = Noise(74)
        let scores = s.scores(&noise)
        let before = (0..<s.rows).map { t -> (top: Float, total: Float) in
            t == 0 || !begun ? (-.infinity, 0) : (noise.floats(1, scale: 9)[0], 1 + Float(t))
        }
        return KernelCase("continueCausalExponentials", "\(s.text), \(begun ? "begun" : "new")") { kernels, memory in
            kernels.sequences.attention.continueCausalExponentials(
                CausalExponentialsArguments(
                    scores: memory.output("s", from: scores, cols: s.cols, stride: s.ld), extent: s.extent,
                    seen: s.seen, top: memory.output("top", from: before.map(\.top), cols: 1),
                    total: memory.output("total", from: before.map(\.total), cols: 1)),
                memory.output("factor", rows: s.rows, cols: 1))
        } expected: {
            let each = (0..<s.rows).map { s.row($0, doubles(scores.row($0, s.cols))) }
            let tops = zip(each, before).map { max($0.top, Double($1.top)) }
            func scale(_ from: Double, _ t: Int) -> Double { from == -.infinity ? 0 : exp(from - tops[t]) }
            let factors = before.indices.map { t in
                each[t].total == 0 ? 1 : scale(Double(before[t].top), t)
            }
            return [
                "s": each.enumerated().flatMap { t, row in row.p.map { $0 * row.total * scale(row.top, t) } },
                "top": tops, "factor": factors,
                "total": each.enumerated().map { t, row in
                    Double(before[t].total) * factors[t] + row.total * scale(row.top, t)
                },
            ]
        }
    }

    private static func multiplyRows(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(75)
        let y = noise.floats(rows * n)
        let factors = (0..<rows).map { $0 == 1 ? 1 : Float($0) + 0.3 }
        return KernelCase("multiplyRows", "\(rows) x \(n)") { kernels, memory in
            kernels.sequences.attention.multiplyRows(
                memory.output("y", from: y, cols: n, stride: n + 3), memory.input(factors, cols: 1),
                Extent(rows: rows, columns: n))
        } expected: {
            ["y": y.indices.map { k in Double(y[k]) * Double(factors[k / n]) }]
        }
    }

    private static func divideRows(_ rows: Int, _ n: Int) -> KernelCase {
        var noise = Noise(73)
        let y = noise.floats(rows * n)
        let total = (0..<rows).map { $0 == 1 ? 0 : Float($0) + 0.7 }
        return KernelCase("divideRows", "\(rows) x \(n)") { kernels, memory in
            kernels.sequences.attention.divideRows(
                memory.output("y", from: y, cols: n, stride: n + 3), memory.input(total, cols: 1),
                Extent(rows: rows, columns: n))
        } expected: {
            ["y": y.indices.map { k in total[k / n] > 0 ? Double(y[k]) / Double(total[k / n]) : 0 }]
        }
    }

    private static func causalSoftmaxBackward(_ s: CausalShape) -> KernelCase {
        var noise = Noise(72)
        let scores = s.scores(&noise)
        let dp = noise.floats(s.rows * s.cols)
        let each = (0..<s.rows).map { s.row($0, doubles(scores.row($0, s.cols))) }
        let delta = (0..<s.rows).map { Float(inner(dp.row($0, s.cols), each[$0].p)) }
        return KernelCase("causalSoftmaxBackward", s.text, tolerance: Tolerance.gradient) { kernels, memory in
            kernels.sequences.attention.causalSoftmaxBackward(
                CausalSoftmaxBackwardArguments(
                    scores: memory.output("p", from: scores, cols: s.cols, ld: s.ld),
                    gradients: memory.output("ds", from: dp, cols: s.cols, ld: s.ld), stride: s.ld, extent: s.extent,
                    seen: s.seen, top: memory.input(each.map { Float($0.top) }, cols: 1),
                    total: memory.input(each.map { Float($0.total) }, cols: 1), delta: memory.input(delta, cols: 1)))
        } expected: {
            let ds = (0..<s.rows).flatMap { t in
                // Hidden scores are constants.
                let row = doubles(scores.row(t, s.cols))
                let visible = (0..<s.cols).filter { s.sees(t, $0) }
                let gradient = centralDifferences(at: visible.map { row[$0] }) { moved in
                    var x = row
                    for (j, value) in zip(visible, moved) { x[j] = value }
                    return inner(dp.row(t, s.cols), s.row(t, x).p)
                }
                var out = [Double](repeating: 0, count: s.cols)
                for (j, value) in zip(visible, gradient) { out[j] = value }
                return out
            }
            return ["p": each.flatMap(\.p), "ds": ds]
        }
    }
}
