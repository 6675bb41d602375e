import Glibc
import Kernels
import TestSupport

extension KernelCases {
    /// (Z, heads): heads of 1, 5, 6, 16, 17, 24, 40 features.
    private static let headed = [(1, 1), (5, 1), (12, 2), (32, 2), (34, 2), (48, 2), (40, 1), (3, 3)]
    private static let eps = 1e-5

    static let queries: [KernelCase] =
        headed.flatMap { Z, heads in
            rows.flatMap { rows in
                [
                    headScales(rows, Z, heads), queriesAndKeys(rows, Z, heads, views: 4),
                    queriesAndKeys(rows, Z, heads, views: 2), queryViewsBackward(rows, Z, heads, views: 4),
                    queryViewsBackward(rows, Z, heads, views: 2),
                    queryViewWeight(rows, Z, heads, columns: 0..<Z),
                ]
            }
        } + [queryViewWeight(7, 48, 2, columns: 16..<32), queryViewWeight(7, 34, 2, columns: 32..<34)]
        + [(2, 1, 1), (6, 3, 2), (16, 2, 1), (18, 2, 2), (24, 2, 0), (34, 1, 1)].flatMap { n, heads, rotated in
            rows.flatMap { rows in [1, -1].map { rotate(rows, n, heads, rotated, direction: $0) } }
        }

    /// r of every head of one row.
    private static func scales(_ z: [Double], heads: Int) -> [Double] {
        let n = z.count / heads
        return (0..<heads).map { h in
            1 / (z[h * n..<(h + 1) * n].reduce(0) { $0 + $1 * $1 } / Double(n) + eps).squareRoot()
        }
    }

    /// View j of one row of zhat: zhat (1 + Gamma_j) / sqrt(dz) + Beta_j.
    private static func view(_ zhat: [Double], _ gamma: [Double], _ beta: [Double], heads: Int) -> [Double] {
        let dz = Double(zhat.count / heads)
        return zhat.indices.map { zhat[$0] * (1 + gamma[$0]) / dz.squareRoot() + beta[$0] }
    }

    private static func normalised(_ z: [Double], heads: Int) -> [Double] {
        let r = scales(z, heads: heads)
        return z.indices.map { z[$0] * r[$0 / (z.count / heads)] }
    }

    private static func headScales(_ rows: Int, _ Z: Int, _ heads: Int) -> KernelCase {
        var noise = Noise(81)
        let z = noise.floats(rows * Z, scale: 2)
        return KernelCase("headScales", "\(rows) x \(Z), \(heads) heads") { kernels, memory in
            kernels.tokens.queries.headScales(
                memory.output("r", rows: rows, cols: heads), memory.input(z, cols: Z, stride: Z + 5),
                GroupedShape(rows: rows, features: Z, groups: heads), Float(eps))
        } expected: {
            ["r": (0..<rows).flatMap { scales(doubles(z.row($0, Z)), heads: heads) }]
        }
    }

    private static func queriesAndKeys(_ rows: Int, _ Z: Int, _ heads: Int, views count: Int) -> KernelCase {
        var noise = Noise(82)
        let z = noise.floats(rows * Z, scale: 2)
        let (gamma, beta) = (noise.floats(count * Z), noise.floats(count * Z))
        let r = (0..<rows).flatMap { scales(doubles(z.row($0, Z)), heads: heads) }.map { Float($0) }
        let names = ["q", "k", "aq", "ak"].prefix(count)
        return KernelCase("queriesAndKeys", "\(rows) x \(Z), \(heads) heads, \(count) views") { kernels, memory in
            let views = names.map { memory.output($0, rows: rows, cols: Z) }
            kernels.tokens.queries.queriesAndKeys(
                QueryViewsArguments(
                    views: QueryViews(
                        q: views[0], k: views[1], memoryQ: count > 2 ? views[2] : nil,
                        memoryK: count > 2 ? views[3] : nil),
                    z: memory.input(z, cols: Z, stride: Z + 5), scales: memory.input(r, cols: heads),
                    gamma: memory.input(gamma), beta: memory.input(beta),
                    shape: GroupedShape(rows: rows, features: Z, groups: heads)))
        } expected: {
            var out: [String: [Double]] = [:]
            for (j, name) in names.enumerated() {
                out[name] = (0..<rows).flatMap {
                    view(
                        normalised(doubles(z.row($0, Z)), heads: heads), doubles(gamma.row(j, Z)),
                        doubles(beta.row(j, Z)), heads: heads)
                }
            }
            return out
        }
    }

    private static func queryViewsBackward(_ rows: Int, _ Z: Int, _ heads: Int, views count: Int) -> KernelCase {
        var noise = Noise(83)
        let zhat = noise.floats(rows * Z)
        let gamma = noise.floats(count * Z)
        let up = (0..<count).map { _ in noise.floats(rows * Z) }
        return KernelCase(
            "queryViewsBackward", "\(rows) x \(Z), \(heads) heads, \(count) views", tolerance: Tolerance.gradient
        ) { kernels, memory in
            let d = up.map { memory.input($0, cols: Z) }
            kernels.tokens.queries.queryViewsBackward(
                QueryViewsBackwardArguments(
                    dz: memory.output("dz", rows: rows, cols: Z),
                    views: QueryViewGradients(
                        q: d[0], k: d[1], memoryQ: count > 2 ? d[2] : nil, memoryK: count > 2 ? d[3] : nil),
                    gamma: memory.input(gamma), shape: GroupedShape(rows: rows, features: Z, groups: heads)))
        } expected: {
            let zeros = [Double](repeating: 0, count: Z)
            return [
                "dz": (0..<rows).flatMap { t in
                    centralDifferences(at: zhat.row(t, Z)) { z in
                        (0..<count).reduce(0) {
                            $0 + inner(up[$1].row(t, Z), view(z, doubles(gamma.row($1, Z)), zeros, heads: heads))
                        }
                    }
                }
            ]
        }
    }

    private static func queryViewWeight(_ rows: Int, _ Z: Int, _ heads: Int, columns: Range<Int>) -> KernelCase {
        var noise = Noise(84)
        let (z, d) = (noise.floats(rows * Z, scale: 2), noise.floats(rows * Z))
        let (dgamma, dbeta) = (noise.floats(Z), noise.floats(Z))
        let r = (0..<rows).flatMap { scales(doubles(z.row($0, Z)), heads: heads) }.map { Float($0) }
        return KernelCase(
            "queryViewWeight", "\(rows) x \(Z), \(heads) heads, columns \(columns)", tolerance: Tolerance.gradient
        ) { kernels, memory in
            kernels.tokens.queries.queryViewWeight(
                QueryViewWeightArguments(
                    dgamma: memory.output("dgamma", from: dgamma), dbeta: memory.output("dbeta", from: dbeta),
                    dview: memory.input(d, cols: Z), z: memory.input(z, cols: Z, stride: Z + 5),
                    scales: memory.input(r, cols: heads),
                    shape: GroupedShape(rows: rows, features: Z, groups: heads), columns: columns))
        } expected: {
            let gradient = centralDifferences(at: [Float](repeating: 0, count: 2 * Z)) { gb in
                (0..<rows).reduce(0) {
                    let zhat = normalised(doubles(z.row($1, Z)), heads: heads)
                    return $0 + inner(d.row($1, Z), view(zhat, gb.row(0, Z), gb.row(1, Z), heads: heads))
                }
            }
            return [
                "dgamma": (0..<Z).map { Double(dgamma[$0]) + (columns.contains($0) ? gradient[$0] : 0) },
                "dbeta": (0..<Z).map { Double(dbeta[$0]) + (columns.contains($0) ? gradient[Z + $0] : 0) },
            ]
        }
    }

    /// Pairs (2j, 2j + 1) of the first `rotated` heads turn by the row's angle; the others stay. Backwards is the
    /// transposed map.
    private static func rotate(_ rows: Int, _ n: Int, _ heads: Int, _ rotated: Int, direction: Int) -> KernelCase {
        var noise = Noise(85)
        let x = noise.floats(rows * heads * n)
        @Sendable func angle(_ t: Int, _ i: Int) -> Double { Double(3 + t) * pow(100, -Double(i / 2 * 2) / Double(n)) }
        let places = (0..<rows * n).map { ($0 / n, $0 % n) }
        let cosine = places.map { Float(cos(angle($0.0, $0.1))) }
        let sine = places.map { Float(($0.1 % 2 == 0 ? -1 : 1) * sin(angle($0.0, $0.1))) }
        @Sendable func turn(_ x: [Double], _ t: Int) -> [Double] {
            x.indices.map { i in
                if i / n >= rotated { return x[i] }
                let a = angle(t, i % n)
                return i % 2 == 0 ? x[i] * cos(a) - x[i + 1] * sin(a) : x[i - 1] * sin(a) + x[i] * cos(a)
            }
        }
        let width = heads * n
        return KernelCase(
            "rotate", "\(rows) x \(n), \(rotated) of \(heads) heads, direction \(direction)"
        ) { kernels, memory in
            kernels.tokens.queries.rotate(
                RotateArguments(
                    x: memory.output("x", from: x, cols: width, stride: width + 3),
                    angles: RotaryAngles(cosines: memory.input(cosine, cols: n), sines: memory.input(sine, cols: n)),
                    direction: Float(direction), rows: rows, features: n, heads: rotated))
        } expected: {
            [
                "x": (0..<rows).flatMap { t in
                    let row = x.row(t, width)
                    if direction == 1 { return turn(doubles(row), t) }
                    return centralDifferences(at: [Float](repeating: 0, count: width)) { inner(row, turn($0, t)) }
                }
            ]
        }
    }
}
