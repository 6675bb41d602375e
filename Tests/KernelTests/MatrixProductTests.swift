import Foundation
import Hardware
import Kernels
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

    func run(_ engine: any MatrixProducts, _ data: Data) -> [Float] {
        with(data) { a, b, c in
            engine.multiply(Product(rows: m, columns: n, depth: k, a, b, to: c))
        }
    }

    /// The same with a right factor that is prepared beforehand, and by one worker alone.
    func runPrepared(_ engine: any MatrixProducts, _ data: Data) -> [Float] {
        with(data) { a, b, c in
            engine.multiply(a, rows: m, by: engine.prepare(b, depth: k, columns: n, reusing: nil), to: c)
        }
    }

    func runSerial(_ engine: any MatrixProducts, _ data: Data, scale: Float = 1) -> [Float] {
        with(data) { a, b, c in
            engine.multiply(Product(rows: m, columns: n, depth: k, a, b, to: c, scale: scale), on: 0)
        }
    }

    /// C after a product was computed.
    private func with(_ data: Data, _ multiply: (Factor, Factor, Destination) -> Void) -> [Float] {
        var c = data.c
        data.a.withUnsafeBufferPointer { a in
            data.b.withUnsafeBufferPointer { b in
                c.withUnsafeMutableBufferPointer { c in
                    multiply(
                        Factor(a.baseAddress!, stride: lda, transposed: transA),
                        Factor(b.baseAddress!, stride: ldb, transposed: transB),
                        Destination(c.baseAddress!, stride: ldc, adds: beta != 0))
                }
            }
        }
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
            (200, 1, 40), (3, 200, 40), (9, 35, 513), (8, 32, 1100),
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

    /// Layers of the sizes that the project is measured at, with slices that end anywhere; and more rows than one call
    /// takes.
    static let large: [ProductCase] =
        layer(T: 1024, D: 192, Z: 96, E: 384, F: 384) + layer(T: 300, D: 192, Z: 96, E: 384, F: 384)
        + layer(T: 256, D: 512, Z: 256, E: 1024, F: 1024) + layer(T: 131, D: 1024, Z: 256, E: 2048, F: 2048)
        + transpositions.flatMap { ta, tb in
            [(4096, 33, 20), (300, 2100, 24), (40, 70, 2000)].map {
                ProductCase(transA: ta, transB: tb, m: $0, n: $1, k: $2)
            }
        }
}

@Suite struct MatrixProductTests {
    /// Every level's tiles that this CPU can run.
    static let levels = KernelTable.runnable.map(\.level)

    @Test(arguments: ProductCase.small, levels) func aProductIsTheSumOfProducts(_ p: ProductCase, level: Int) throws {
        let data = p.data()
        let kernels = try #require(KernelTable.at(level: level))
        let found = p.run(TileProducts(Team(), kernels: kernels), data)
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
        let found = p.run(TileProducts(Team()), data)
        let places = p.sampledPlaces
        let worst = deviation(
            places.map { Double(found[$0 * p.ldc + $1]) }, from: places.map { p.element($0, $1, data) })
        #expect(worst < 2e-6)
    }

    @Test(
        .enabled(if: Precision.bf16.isSupported, "this CPU has no bfloat16 instructions"), arguments: ProductCase.small)
    func aProductInBfloat16IsTheSumOfProductsOfRoundedFactors(_ p: ProductCase) {
        let data = p.data()
        let rounded = ProductCase.Data(a: data.a.map(bfloat16), b: data.b.map(bfloat16), c: data.c)
        let engine = TileProducts(Team(), precision: .bf16)
        let found = p.run(engine, data)
        let places = (0..<p.m).flatMap { i in (0..<p.n).map { (i, $0) } }
        let worst = deviation(
            places.map { Double(found[$0 * p.ldc + $1]) }, from: places.map { p.element($0, $1, rounded) })
        #expect(worst < 1e-6)
        expectSameBits(p.runPrepared(engine, data), found, "packed beforehand")
        expectSameBits(p.runSerial(engine, data), found, "by one worker alone")
    }

    @Test func anEmptyProductTouchesNothingAndAnEmptySumIsZero() {
        expectEmptyProductsToDoNothing(TileProducts(Team()))
    }

    @Test func alphaScalesTheProductOnly() {
        let p = ProductCase(transA: false, transB: true, m: 13, n: 37, k: 20, beta: 1)
        let data = p.data()
        let engine = TileProducts(Team())
        let c = p.runSerial(engine, data, scale: -1)
        let expected = zip(data.c, p.runSerial(engine, data)).map { 2 * Double($0) - Double($1) }
        #expect(deviation(c.map(Double.init), from: expected) < 1e-6)
    }
}

extension ProductCase {
    var sampledPlaces: [(Int, Int)] {
        var noise = Noise(402)
        return (0..<200).map { _ in (noise.integer(below: m), noise.integer(below: n)) }
            + [(0, 0), (m - 1, n - 1), (0, n - 1), (m - 1, 0)]
    }
}

/// The bfloat16 nearest to x, to even between two.
private func bfloat16(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
}

/// Products without rows or columns touch nothing; one without depth is 0.
func expectEmptyProductsToDoNothing(_ engine: any MatrixProducts) {
    func product(_ m: Int, _ n: Int, _ k: Int, adds: Bool) -> [Float] {
        var p = ProductCase(transA: false, transB: false, m: m, n: n, k: k)
        p.beta = adds ? 1 : 0
        return p.run(engine, ProductCase.Data(a: [0, 0, 0], b: [0, 0, 0], c: [1, 2]))
    }
    #expect(product(0, 2, 3, adds: false) == [1, 2])
    #expect(product(2, 0, 3, adds: false) == [1, 2])
    #expect(product(1, 2, 0, adds: true) == [1, 2])
    #expect(product(1, 2, 0, adds: false) == [0, 0])
}

func expectSameBits(_ found: [Float], _ expected: [Float], _ what: Comment) {
    let differing = zip(found, expected).filter { $0.bitPattern != $1.bitPattern }.count
    #expect(found.count == expected.count && differing == 0, what)
}
