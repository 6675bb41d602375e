import Kernels
import TestSupport

extension KernelCases {
    /// (features, groups): groups of 1, 5, 6, 16, 17, 24 and 40 features.
    private static let grouped = [(1, 1), (5, 1), (12, 2), (16, 1), (34, 2), (48, 2), (40, 1), (3, 3), (33, 1)]
    /// Large enough to matter, and that a group of one feature doesn't cancel.
    private static let eps = 0.1

    static let featureNorms: [KernelCase] =
        grouped.flatMap { d, groups in
            rows.flatMap { rows in
                [true, false].flatMap { hasWeight in
                    let shape = NormShape(rows: rows, d: d, groups: groups, hasWeight: hasWeight)
                    return [rmsNorm(shape), layerNorm(shape)]
                        + [false, true].flatMap {
                            [rmsNormBackward(shape, adds: $0), layerNormBackward(shape, adds: $0)]
                        }
                } + [rmsNormWeight(rows, d, groups, columns: 0..<d), layerNormWeight(rows, d, groups, columns: 0..<d)]
            }
        } + [rmsNormWeight(7, 48, 2, columns: 16..<32), layerNormWeight(7, 48, 2, columns: 16..<32)]

    struct NormShape {
        let rows, d, groups: Int
        let hasWeight: Bool
        var grouped: GroupedShape { GroupedShape(rows: rows, features: d, groups: groups) }
        var text: String { "\(rows) x \(d), \(groups) groups\(hasWeight ? "" : ", plain")" }
    }

    /// r of every group of one row.
    private static func rmsScales(_ x: [Double], groups: Int) -> [Double] {
        let n = x.count / groups
        return (0..<groups).map { g in
            1 / (x[g * n..<(g + 1) * n].reduce(0) { $0 + $1 * $1 } / Double(n) + eps).squareRoot()
        }
    }

    private static func rmsRow(_ x: [Double], _ w: [Double], groups: Int) -> [Double] {
        let r = rmsScales(x, groups: groups)
        return x.indices.map { x[$0] * r[$0 / (x.count / groups)] * (1 + w[$0]) }
    }

    private static func means(_ x: [Double], groups: Int) -> [Double] {
        let n = x.count / groups
        return (0..<groups).map { g in x[g * n..<(g + 1) * n].reduce(0, +) / Double(n) }
    }

    private static func layerScales(_ x: [Double], groups: Int) -> [Double] {
        let m = means(x, groups: groups)
        return rmsScales(x.indices.map { x[$0] - m[$0 / (x.count / groups)] }, groups: groups)
    }

    private static func layerRow(_ x: [Double], _ w: [Double], _ b: [Double], groups: Int) -> [Double] {
        let n = x.count / groups
        let (m, r) = (means(x, groups: groups), layerScales(x, groups: groups))
        return x.indices.map { (x[$0] - m[$0 / n]) * r[$0 / n] * (1 + w[$0]) + b[$0] }
    }

    private static func rmsNorm(_ s: NormShape) -> KernelCase {
        var noise = Noise(31)
        let (rows, d) = (s.rows, s.d)
        let x = noise.floats(rows * d, scale: 2)
        let w = s.hasWeight ? noise.floats(d) : [Float](repeating: 0, count: d)
        return KernelCase("rmsNorm", s.text) { kernels, memory in
            kernels.tokens.featureNorms.rmsNorm(
                RMSNormArguments(
                    y: memory.output("y", rows: rows, cols: d, stride: d + 3),
                    scales: memory.output("r", rows: rows, cols: s.groups),
                    x: memory.input(x, cols: d, stride: d + 2), weight: s.hasWeight ? memory.input(w) : nil,
                    shape: s.grouped, eps: Float(eps)))
        } expected: {
            let each = (0..<rows).map { doubles(x.row($0, d)) }
            return [
                "y": each.flatMap { rmsRow($0, doubles(w), groups: s.groups) },
                "r": each.flatMap { rmsScales($0, groups: s.groups) },
            ]
        }
    }

    private static func rmsNormBackward(_ s: NormShape, adds: Bool) -> KernelCase {
        var noise = Noise(32)
        let (rows, d) = (s.rows, s.d)
        let (x, dy) = (noise.floats(rows * d, scale: 2), noise.floats(rows * d))
        let w = s.hasWeight ? noise.floats(d) : [Float](repeating: 0, count: d)
        let r = (0..<rows).flatMap { rmsScales(doubles(x.row($0, d)), groups: s.groups) }.map { Float($0) }
        let dx = adds ? noise.floats(rows * d) : [Float](repeating: 0, count: rows * d)
        let text = s.text + (adds ? ", adds" : "")
        return KernelCase("rmsNormBackward", text, tolerance: Tolerance.gradient) { kernels, memory in
            kernels.tokens.featureNorms.rmsNormBackward(
                RMSNormBackwardArguments(
                    dx: adds
                        ? memory.output("dx", from: dx, cols: d, stride: d + 1)
                        : memory.output("dx", rows: rows, cols: d, stride: d + 1),
                    dy: memory.input(dy, cols: d, stride: d + 2), x: memory.input(x, cols: d, stride: d + 3),
                    scales: memory.input(r, cols: s.groups), weight: s.hasWeight ? memory.input(w) : nil,
                    shape: s.grouped, adds: adds))
        } expected: {
            let own = (0..<rows).flatMap { t in
                centralDifferences(at: x.row(t, d)) {
                    inner(dy.row(t, d), rmsRow($0, doubles(w), groups: s.groups))
                }
            }
            return ["dx": zip(own, dx).map { $0 + Double($1) }]
        }
    }

    private static func rmsNormWeight(_ rows: Int, _ d: Int, _ groups: Int, columns: Range<Int>) -> KernelCase {
        var noise = Noise(33)
        let (x, dy, dw) = (noise.floats(rows * d, scale: 2), noise.floats(rows * d), noise.floats(d))
        let r = (0..<rows).flatMap { rmsScales(doubles(x.row($0, d)), groups: groups) }.map { Float($0) }
        return KernelCase(
            "rmsNormWeight", "\(rows) x \(d), \(groups) groups, columns \(columns)", tolerance: Tolerance.gradient
        ) { kernels, memory in
            kernels.tokens.featureNorms.rmsNormWeight(
                RMSNormWeightArguments(
                    dweight: memory.output("dw", from: dw), dy: memory.input(dy, cols: d), x: memory.input(x, cols: d),
                    scales: memory.input(r, cols: groups),
                    shape: GroupedShape(rows: rows, features: d, groups: groups), columns: columns))
        } expected: {
            let gradient = centralDifferences(at: [Float](repeating: 0, count: d)) { w in
                (0..<rows).reduce(0) {
                    $0 + inner(dy.row($1, d), rmsRow(doubles(x.row($1, d)), w, groups: groups))
                }
            }
            return ["dw": (0..<d).map { Double(dw[$0]) + (columns.contains($0) ? gradient[$0] : 0) }]
        }
    }

    private static func layerNorm(_ s: NormShape) -> KernelCase {
        var noise = Noise(34)
        let (rows, d) = (s.rows, s.d)
        // A mean far from 0 shows whether the variance is taken about it.
        let x = noise.floats(rows * d, scale: 2).map { $0 + 3 }
        let zeros = [Float](repeating: 0, count: d)
        let (w, b) = s.hasWeight ? (noise.floats(d), noise.floats(d)) : (zeros, zeros)
        // A group of one feature is its own mean: its variance is 0 and only the bias is left.
        return KernelCase("layerNorm", s.text) { kernels, memory in
            kernels.tokens.featureNorms.layerNorm(
                LayerNormArguments(
                    y: memory.output("y", rows: rows, cols: d),
                    statistics: GroupStatistics(
                        means: memory.output("m", rows: rows, cols: s.groups),
                        scales: memory.output("r", rows: rows, cols: s.groups)), x: memory.input(x, cols: d),
                    parameters: LayerNormParameters(
                        weight: s.hasWeight ? memory.input(w) : nil, bias: s.hasWeight ? memory.input(b) : nil),
                    shape: s.grouped, eps: Float(eps)))
        } expected: {
            let each = (0..<rows).map { doubles(x.row($0, d)) }
            return [
                "y": each.flatMap { layerRow($0, doubles(w), doubles(b), groups: s.groups) },
                "m": each.flatMap { means($0, groups: s.groups) },
                "r": each.flatMap { layerScales($0, groups: s.groups) },
            ]
        }
    }

    private static func layerNormBackward(_ s: NormShape, adds: Bool) -> KernelCase {
        var noise = Noise(35)
        let (rows, d) = (s.rows, s.d)
        let (x, dy, first) = (noise.floats(rows * d, scale: 2), noise.floats(rows * d), noise.floats(rows * d))
        let w = s.hasWeight ? noise.floats(d) : [Float](repeating: 0, count: d)
        let zeros = [Double](repeating: 0, count: d)
        let m = (0..<rows).flatMap { means(doubles(x.row($0, d)), groups: s.groups) }.map { Float($0) }
        let r = (0..<rows).flatMap { layerScales(doubles(x.row($0, d)), groups: s.groups) }.map { Float($0) }
        return KernelCase(
            "layerNormBackward", s.text + (adds ? ", added" : ""), tolerance: Tolerance.gradient
        ) { kernels, memory in
            kernels.tokens.featureNorms.layerNormBackward(
                LayerNormBackwardArguments(
                    dx: adds ? memory.output("dx", from: first, cols: d) : memory.output("dx", rows: rows, cols: d),
                    dy: memory.input(dy, cols: d),
                    forward: LayerNormed(
                        x: memory.input(x, cols: d), means: memory.input(m, cols: s.groups),
                        scales: memory.input(r, cols: s.groups)), weight: s.hasWeight ? memory.input(w) : nil,
                    shape: s.grouped, adds: adds))
        } expected: {
            [
                "dx": (0..<rows).flatMap { t in
                    let gradient = centralDifferences(at: x.row(t, d)) {
                        inner(dy.row(t, d), layerRow($0, doubles(w), zeros, groups: s.groups))
                    }
                    return gradient.indices.map { gradient[$0] + (adds ? Double(first[t * d + $0]) : 0) }
                }
            ]
        }
    }

    private static func layerNormWeight(_ rows: Int, _ d: Int, _ groups: Int, columns: Range<Int>) -> KernelCase {
        var noise = Noise(36)
        let (x, dy) = (noise.floats(rows * d, scale: 2), noise.floats(rows * d))
        let (dw, db) = (noise.floats(d), noise.floats(d))
        let m = (0..<rows).flatMap { means(doubles(x.row($0, d)), groups: groups) }.map { Float($0) }
        let r = (0..<rows).flatMap { layerScales(doubles(x.row($0, d)), groups: groups) }.map { Float($0) }
        return KernelCase(
            "layerNormWeight", "\(rows) x \(d), \(groups) groups, columns \(columns)", tolerance: Tolerance.gradient
        ) { kernels, memory in
            kernels.tokens.featureNorms.layerNormWeight(
                LayerNormWeightArguments(
                    gradients: LayerNormParameterGradients(
                        weight: memory.output("dw", from: dw), bias: memory.output("db", from: db)),
                    dy: memory.input(dy, cols: d),
                    forward: LayerNormed(
                        x: memory.input(x, cols: d), means: memory.input(m, cols: groups),
                        scales: memory.input(r, cols: groups)),
                    shape: GroupedShape(rows: rows, features: d, groups: groups), columns: columns))
        } expected: {
            let gradient = centralDifferences(at: [Float](repeating: 0, count: 2 * d)) { wb in
                (0..<rows).reduce(0) {
                    $0
                        + inner(
                            dy.row($1, d),
                            layerRow(doubles(x.row($1, d)), wb.row(0, d), wb.row(1, d), groups: groups))
                }
            }
            return [
                "dw": (0..<d).map { Double(dw[$0]) + (columns.contains($0) ? gradient[$0] : 0) },
                "db": (0..<d).map { Double(db[$0]) + (columns.contains($0) ? gradient[d + $0] : 0) },
            ]
        }
    }
}
