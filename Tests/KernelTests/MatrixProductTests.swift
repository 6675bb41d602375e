import Foundation
import Hardware
import Numerics
import TestSupport
import Testing

/// C = op(A) op(B) + beta C for one choice of transpositions and a shape.
struct ProductCase: Sendable, CustomTestStringConvertible {
    let transA, transB: Bool
    let m, n, k: Int
    var beta: Float = 0
    /// Row strides beyond the widths.
    var slack = 0

    var testDescription: String {
        "\(transA ? "A^T" : "A") \(transB ? "B^T" : "B"), \(m) x \(n) x \(k), beta \(beta), slack \(slack)"
    }

    var lda: Int { (transA ? m : k) + slack }
    var ldb: Int { (transB ? k : n) + slack }
    var ldc: Int { n + slack }

    struct Data: Sendable {
        let a, b, c: [Float]
    }

    func data() -> Data {
        // A short recurrence: the millions of numbers only have to differ.
        var state: UInt32 = 1
        func numbers(_ count: Int) -> [Float] {
            (0..<count).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Float(Int32(bitPattern: state)) * 0x1p-31
            }
        }
        return Data(
            a: numbers((transA ? k : m) * lda), b: numbers((transB ? n : k) * ldb), c: numbers(m * ldc))
    }

    func run(_ team: Team, _ data: Data) -> [Float] {
        var c = data.c
        MatrixProduct.run(team, transA, transB, m, n, k, data.a, lda, data.b, ldb, beta, &c, ldc)
        return c
    }

    /// Element (i, j) in Double.
    func element(_ i: Int, _ j: Int, _ data: Data) -> Double {
        (0..<k).reduce(Double(beta) * Double(data.c[i * ldc + j])) { sum, l in
            sum + Double(data.a[transA ? l * lda + i : i * lda + l])
                * Double(data.b[transB ? j * ldb + l : l * ldb + j])
        }
    }

    static let transpositions = [(false, false), (false, true), (true, false), (true, true)]

    /// Awkward shapes in all transpositions.
    static let small: [ProductCase] = transpositions.flatMap { ta, tb in
        [
            (1, 1, 1), (5, 7, 3), (24, 24, 24), (25, 49, 17), (47, 48, 49), (48, 33, 1), (97, 16, 130), (130, 95, 64),
            (200, 1, 40), (3, 200, 40),
        ].flatMap { m, n, k in
            [
                ProductCase(transA: ta, transB: tb, m: m, n: n, k: k),
                ProductCase(transA: ta, transB: tb, m: m, n: n, k: k, beta: 1, slack: 5),
            ]
        }
    }

    /// The products of one layer for slices of `T` tokens: forward, gradient of the input, gradient of the weights.
    private static func layer(T: Int, D: Int, Z: Int, E: Int, F: Int) -> [ProductCase] {
        [(Z + E, D), (E, D), (D, D), (D, E), (2 * F, D), (D, F)].flatMap { out, inputs in
            [
                ProductCase(transA: false, transB: true, m: T, n: out, k: inputs),
                ProductCase(transA: false, transB: false, m: T, n: inputs, k: out),
                ProductCase(transA: true, transB: false, m: out, n: inputs, k: T, beta: 1),
            ]
        }
    }

    /// Layers of the sizes that the project is measured at, with slices that end anywhere; and more rows than one call takes.
    static let large: [ProductCase] =
        layer(T: 1024, D: 192, Z: 96, E: 384, F: 384) + layer(T: 300, D: 192, Z: 96, E: 384, F: 384)
        + layer(T: 256, D: 512, Z: 256, E: 1024, F: 1024) + layer(T: 131, D: 1024, Z: 256, E: 2048, F: 2048)
        + transpositions.flatMap { ta, tb in
            [(4096, 33, 20), (MatrixProduct.longest + 1, 24, 24), (6200, 5, 17)].map {
                ProductCase(transA: ta, transB: tb, m: $0, n: $1, k: $2)
            }
        }
}

@Suite struct MatrixProductTests {
    init() throws { try MatrixProduct.useCallersThreads() }

    @Test(arguments: ProductCase.small) func aProductIsTheSumOfProducts(_ p: ProductCase) {
        let data = p.data()
        let found = p.run(Team(), data)
        let places = (0..<p.m).flatMap { i in (0..<p.n).map { (i, $0) } }
        let worst = deviation(
            places.map { Double(found[$0 * p.ldc + $1]) }, from: places.map { p.element($0, $1, data) })
        #expect(worst < 1e-6)
        // Between the rows nothing is written.
        for i in 0..<p.m {
            for j in p.n..<p.ldc { #expect(found[i * p.ldc + j] == data.c[i * p.ldc + j]) }
        }
    }

    @Test(arguments: ProductCase.large) func aLargeProductIsTheSumOfProductsWhereSampled(_ p: ProductCase) {
        let data = p.data()
        let found = p.run(Team(), data)
        var noise = Noise(402)
        let places =
            (0..<200).map { _ in (noise.integer(below: p.m), noise.integer(below: p.n)) }
            + [(0, 0), (p.m - 1, p.n - 1), (0, p.n - 1), (p.m - 1, 0)]
        let worst = deviation(
            places.map { Double(found[$0 * p.ldc + $1]) }, from: places.map { p.element($0, $1, data) })
        #expect(worst < 2e-6)
    }

    @Test func anEmptyProductTouchesNothing() {
        var c: [Float] = [1, 2]
        MatrixProduct.run(Team(), false, false, 0, 2, 3, [0], 3, [0], 2, 0, &c, 2)
        MatrixProduct.run(Team(), false, false, 2, 0, 3, [0], 3, [0], 1, 0, &c, 1)
        #expect(c == [1, 2])
    }

    @Test func partsBeginAtWholeGrainsAndCoverAllRows() {
        for rows in 1...400 {
            for parts in 1...max(1, min(7, rows / MatrixProduct.grain)) {
                let bounds = (0...parts).map { MatrixProduct.boundary($0, of: parts, rows: rows) }
                #expect(bounds[0] == 0 && bounds[parts] == rows)
                #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
                #expect(bounds.dropLast().allSatisfy { $0 % MatrixProduct.grain == 0 })
            }
        }
    }
}
