import Glibc
import Hardware
import KernelInterface
import Kernels
import Model
import Numerics
import TestSupport
import Testing

/// Attention over windows longer than what is taken up at a time, with key heads that serve several query heads, and
/// rows of keys and values side by side.
@Suite struct LongWindowTests {
    /// A slice of which nothing but its place is asked.
    private final class Place: SharedSlice {
        let start, length: Int
        var exit: StreamCursor { StreamCursor(position: start + length, numbers: []) }
        init(_ window: AttentionWindow) { (start, length) = (window.start, window.length) }
        func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>) {}
    }

    struct Shape: Sendable, CustomTestStringConvertible {
        let window: AttentionWindow
        let heads, keyHeads, keyDim, valueDim: Int

        init(_ start: Int, _ spans: [(end: Int, keyStart: Int)], heads: Int, keyHeads: Int, keyDim: Int, valueDim: Int)
        {
            let begins = [start] + spans.map(\.end)
            window = AttentionWindow(
                start: start, length: begins.last! - start,
                spans: zip(begins, spans).map { .init(start: $0, end: $1.end, keyStart: $1.keyStart) })
            (self.heads, self.keyHeads, self.keyDim, self.valueDim) = (heads, keyHeads, keyDim, valueDim)
        }

        var testDescription: String {
            "\(heads) heads over \(keyHeads), \(window.spans.map { "\($0.start)..<\($0.end) from \($0.keyStart)" })"
        }

        var T: Int { window.length }
        var held: Int { window.start + window.length }
        var keyRow: Int { keyHeads * keyDim }
        /// Keys beside values.
        var width: Int { keyHeads * (keyDim + valueDim) }
        var attention: WindowAttention {
            WindowAttention(heads: heads, keyHeads: keyHeads, keyDim: keyDim, valueDim: valueDim)
        }
    }

    static let shapes = [
        // Passes of 1,024 keys end within, before and behind the rows; rows see the first one only, or all.
        Shape(0, [(end: 1100, keyStart: 0)], heads: 2, keyHeads: 1, keyDim: 4, valueDim: 4),
        Shape(1200, [(end: 1201, keyStart: 0)], heads: 3, keyHeads: 3, keyDim: 5, valueDim: 7),
        Shape(
            1000, [(end: 1064, keyStart: 3), (end: 1065, keyStart: 1064), (end: 1130, keyStart: 1065)],
            heads: 4, keyHeads: 2, keyDim: 6, valueDim: 3),
        Shape(1023, [(end: 1540, keyStart: 0)], heads: 1, keyHeads: 1, keyDim: 2, valueDim: 17),
    ]

    /// What a call reads, and the gradients that keys and values have before it.
    private struct Inputs {
        let q, rows, dy, before: [Float]

        init(_ s: Shape) {
            var noise = Noise(77)
            q = noise.floats(s.T * s.heads * s.keyDim, scale: 2)
            rows = noise.floats(s.held * s.width, scale: 2)
            dy = noise.floats(s.T * s.heads * s.valueDim)
            before = noise.floats(s.held * s.width)
        }
    }

    private struct Results {
        var y, dq, drows: [Float]
        var bits: [UInt32] { (y + dq + drows).map(\.bitPattern) }
    }

    private static func run(_ s: Shape, _ inputs: Inputs, _ matrices: any MatrixProducts) -> Results {
        let attention = s.attention
        let scratch = FloatBuffer(attention.workspace(workers: matrices.team.count))
        let (q, rows, dy, drows) = (
            FloatBuffer(inputs.q), FloatBuffer(inputs.rows), FloatBuffer(inputs.dy), FloatBuffer(inputs.before)
        )
        let (y, dq) = (FloatBuffer(dy.count), FloatBuffer(q.count))
        let (top, total) = (FloatBuffer(s.T * s.heads), FloatBuffer(s.T * s.heads))
        let operands = WindowAttention.Operands(
            q: q.base, k: FloatRows(rows.base, stride: s.width),
            v: FloatRows(rows.base + s.keyRow, stride: s.width), y: y.base, top: top.base, total: total.base)
        let context = SliceContext(matrices: matrices, slice: Place(s.window), workspace: scratch.base)
        attention.forward(context, s.window, operands, scratch: scratch.base)
        attention.backward(
            context, s.window, operands,
            .init(
                y: dy.base, q: dq.base, k: MutableFloatRows(drows.base, stride: s.width),
                v: MutableFloatRows(drows.base + s.keyRow, stride: s.width)), scratch: scratch.base)
        withExtendedLifetime((q, rows, dy, top, total)) {}
        return Results(y: y.values, dq: dq.values, drows: drows.values)
    }

    /// The equations in double: y = softmax(q . k) v, dS = P (dP - dy . y), dq = dS k, dk += dS^T q, dv += P^T dy.
    private static func equation(_ s: Shape, _ a: Inputs) -> (y: [Double], dq: [Double], drows: [Double]) {
        var y = [Double](repeating: 0, count: a.dy.count)
        var dq = [Double](repeating: 0, count: a.q.count)
        var drows = a.before.map(Double.init)
        for span in s.window.spans {
            for i in span.start..<span.end {
                for head in 0..<s.heads {
                    let t = i - s.window.start
                    let keyHead = head / (s.heads / s.keyHeads)
                    let q0 = (t * s.heads + head) * s.keyDim
                    let y0 = (t * s.heads + head) * s.valueDim
                    func k0(_ j: Int) -> Int { j * s.width + keyHead * s.keyDim }
                    func v0(_ j: Int) -> Int { j * s.width + s.keyRow + keyHead * s.valueDim }
                    let keys = Array(span.keyStart...i)
                    let scores = keys.map { j in
                        (0..<s.keyDim).reduce(0.0) { $0 + Double(a.q[q0 + $1]) * Double(a.rows[k0(j) + $1]) }
                    }
                    let top = scores.max()!
                    let weights = scores.map { exp($0 - top) }
                    let total = weights.reduce(0, +)
                    let p = weights.map { $0 / total }
                    var dp = [Double](repeating: 0, count: keys.count)
                    for (n, j) in keys.enumerated() {
                        for e in 0..<s.valueDim {
                            y[y0 + e] += p[n] * Double(a.rows[v0(j) + e])
                            drows[v0(j) + e] += p[n] * Double(a.dy[y0 + e])
                            dp[n] += Double(a.dy[y0 + e]) * Double(a.rows[v0(j) + e])
                        }
                    }
                    let delta = (0..<s.valueDim).reduce(0.0) { $0 + Double(a.dy[y0 + $1]) * y[y0 + $1] }
                    for (n, j) in keys.enumerated() {
                        let ds = p[n] * (dp[n] - delta)
                        for e in 0..<s.keyDim {
                            dq[q0 + e] += ds * Double(a.rows[k0(j) + e])
                            drows[k0(j) + e] += ds * Double(a.q[q0 + e])
                        }
                    }
                }
            }
        }
        return (y, dq, drows)
    }

    /// By this CPU's tiles, by OpenBLAS beside them, and by OpenBLAS without any.
    private static func engines(_ team: Team) throws -> [(name: String, engine: any MatrixProducts)] {
        let library = try OpenBLASLibrary.opened.get()
        return [("tiles", TileProducts(team))]
            + (try [KernelTable.best.level, 0].map { level in
                let kernels = try #require(KernelTable.at(level: level))
                return ("OpenBLAS, level \(level)", OpenBLASProducts(team, library, kernels: kernels))
            })
    }

    @Test(arguments: shapes) func itIsTheSoftmaxOverAllThatIsSeen(_ s: Shape) throws {
        let inputs = Inputs(s)
        let expected = Self.equation(s, inputs)
        for (name, engine) in try Self.engines(Team()) {
            let found = Self.run(s, inputs, engine)
            for (part, values, equation, limit) in [
                ("y", found.y, expected.y, Tolerance.output), ("dq", found.dq, expected.dq, Tolerance.gradient),
                ("dk, dv", found.drows, expected.drows, Tolerance.gradient),
            ] {
                let worst = deviation(values.map(Double.init), from: equation)
                #expect(worst <= limit, "\(s.testDescription), \(name): \(part) deviates by \(worst)")
            }
        }
    }

    @Test(arguments: shapes) func workersDontChangeABit(_ s: Shape) throws {
        let inputs = Inputs(s)
        let alone = Self.run(s, inputs, TileProducts(Team())).bits
        for workers in [2, 3, 5] {
            try withTeam(of: workers) { team in
                #expect(Self.run(s, inputs, TileProducts(team)).bits == alone, "\(workers) workers")
            }
        }
    }
}
