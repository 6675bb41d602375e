import Checkpoints
import Hardware
import Numerics

/// The same products by both matrix engines on every core: each is the other's witness, since nothing of their code is
/// shared.
///
/// A float32 sum of k products in any order, with or without fused multiply-adds, is off by at most g_k sum |a b| with
/// g_k = k u / (1 - k u), u = 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). So two such
/// results differ by at most twice that, element by element, however the engines order their sums. What differs more
/// was computed wrongly.
struct Witness {
    /// What a core's products say of it.
    struct Testimony {
        /// The largest difference between the engines, as a multiple of what rounding may come to.
        var deviation = 0.0
        /// A digest of the bits of all results of both: the same on every core of a kind.
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    }

    private static let shapes = [(rows: 120, columns: 104, depth: 300), (rows: 61, columns: 147, depth: 512)]
    /// Each product is computed so often on every core: some tenths of a second in all.
    private static let rounds = 100

    private let cases: [Case]

    init() { cases = Self.shapes.enumerated().map { Case($1.rows, $1.columns, depth: $1.depth, seed: UInt64($0)) } }

    /// One testimony a worker.
    ///
    /// - Parameters:
    ///   - cores: the cores of the team's workers
    ///   - second: the other engine; without one a core is only compared with the others
    func hear(_ team: Team, cores: [Int], rank: Int, second: (any MatrixProducts)?) -> [Testimony] {
        let testimonies = UnsafeMutableBufferPointer<Testimony>.allocate(capacity: team.count)
        testimonies.initialize(repeating: Testimony())
        defer { testimonies.deallocate() }
        let first = TileProducts(team)
        let count = cases.map { $0.rows * $0.columns }.max() ?? 0
        let results = (0..<team.count).map { _ in FloatBuffer(2 * count) }
        let isFalsified = cores.map { Fault.action(at: .products, step: $0, rank: rank) == .wrong }
        team.run(inPlace: true) { worker in
            let (a, b) = (results[worker].base, results[worker].base + count)
            for _ in 0..<Self.rounds {
                for c in cases {
                    first.multiply(c.product(to: a), on: worker)
                    if isFalsified[worker] { a[0] = Float(bitPattern: a[0].bitPattern ^ 1 << 22) }
                    testimonies[worker].add(a, c.rows * c.columns)
                    guard let second else { continue }
                    second.multiply(c.product(to: b), on: worker)
                    testimonies[worker].add(b, c.rows * c.columns)
                    testimonies[worker].compare(a, b, c)
                }
            }
        }
        return Array(testimonies)
    }

    /// A product's factors, and what rounding may come to in each element of it.
    final class Case {
        let rows, columns, depth: Int
        private let a, b: FloatBuffer
        /// Twice g_k sum |a b|.
        let bounds: [Double]

        init(_ rows: Int, _ columns: Int, depth: Int, seed: UInt64) {
            (self.rows, self.columns, self.depth) = (rows, columns, depth)
            let (a, b) = (FloatBuffer(rows * depth), FloatBuffer(columns * depth))
            let (first, second) = (CounterGenerator(seed: seed, stream: 1), CounterGenerator(seed: seed, stream: 2))
            for i in 0..<rows * depth { a.base[i] = Float(first.uniform(UInt64(i)) - 0.5) }
            for i in 0..<columns * depth { b.base[i] = Float(second.uniform(UInt64(i)) - 0.5) }
            let ku = Double(depth) * 0x1p-24
            bounds = (0..<rows * columns).map { element in
                let (x, y) = (a.base + element / columns * depth, b.base + element % columns * depth)
                var sum = 0.0
                for k in 0..<depth { sum += abs(Double(x[k]) * Double(y[k])) }
                return 2 * ku / (1 - ku) * sum
            }
            (self.a, self.b) = (a, b)
        }

        func product(to c: UnsafeMutablePointer<Float>) -> Product {
            Product(
                rows: rows, columns: columns, depth: depth, Factor(a.base, stride: depth),
                Factor(b.base, stride: depth, transposed: true), to: Destination(c, stride: columns))
        }
    }
}

extension Witness.Testimony {
    fileprivate mutating func add(_ x: UnsafePointer<Float>, _ count: Int) {
        for i in 0..<count { digest = (digest ^ UInt64(x[i].bitPattern)) &* 0x100_0000_01b3 }
    }

    fileprivate mutating func compare(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: Witness.Case) {
        for i in 0..<c.rows * c.columns {
            let share = abs(Double(a[i]) - Double(b[i])) / c.bounds[i]
            // What isn't a number is as wrong as can be.
            deviation = share.isFinite ? max(deviation, share) : .greatestFiniteMagnitude
        }
    }
}
