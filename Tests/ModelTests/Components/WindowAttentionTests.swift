import Glibc
import Hardware
import KernelInterface
import Model
import Numerics
import TestSupport
import Testing

@Suite struct WindowAttentionTests {
    /// softmax(q . k) v over the keys that the rules allow; q [T, H, dz], k and v from the window's start on.
    private static func equation(_ s: StreamSlice, _ a: Arguments) -> Arguments {
        let rules = TokenRules(s.stream)
        var y = [Double](repeating: 0, count: s.T * s.E)
        for t in 0..<s.T {
            let keys = rules.keys(of: s.start + t).map { $0 - s.windowStart }
            for h in 0..<s.heads {
                let scores = keys.map { j in
                    (0..<s.keyDim).reduce(0) {
                        $0 + a["q"]![t * s.Z + h * s.keyDim + $1] * a["k"]![j * s.Z + h * s.keyDim + $1]
                    }
                }
                let weights = scores.map { exp($0) }
                let total = weights.reduce(0, +)
                for i in 0..<s.valueDim {
                    let place = h * s.valueDim + i
                    y[t * s.E + place] =
                        zip(weights, keys).reduce(0) { $0 + $1.0 * a["v"]![$1.1 * s.E + place] } / total
                }
            }
        }
        return ["y": y]
    }

    @Test(arguments: StreamSlice.all) func itIsTheSoftmaxOverTheVisibleKeys(_ s: StreamSlice) {
        var noise = Noise(601)
        let (q, k, v) = (
            noise.floats(s.T * s.Z, scale: 2), noise.floats(s.held * s.Z, scale: 2), noise.floats(s.held * s.E)
        )
        let (dy, dk0, dv0) = (noise.floats(s.T * s.E), noise.floats(s.held * s.Z), noise.floats(s.held * s.E))
        let attention = WindowAttention(
            heads: s.heads, keyDim: s.keyDim, valueDim: s.valueDim, chunk: s.stream.chunk)
        let scratch = FloatBuffer(attention.workspace(workers: 1))
        let (y, top, total) = (FloatBuffer(s.T * s.E), FloatBuffer(s.T * s.heads), FloatBuffer(s.T * s.heads))
        let context = context(s.plan)
        let read = [q, k, v].map { FloatBuffer($0) }
        let operands = WindowAttention.Operands(
            q: read[0].base, k: FloatRows(read[1].base, stride: s.Z), v: FloatRows(read[2].base, stride: s.E),
            y: y.base, top: top.base, total: total.base)
        attention.forward(context, s.plan.attention, operands, scratch: scratch.base)
        // Keys and values receive gradient on top of what they have.
        let (dq, dk, dv) = (FloatBuffer(q.count), FloatBuffer(dk0), FloatBuffer(dv0))
        let upstream = FloatBuffer(dy)
        attention.backward(
            context, s.plan.attention, operands,
            .init(
                y: upstream.base, q: dq.base, k: MutableFloatRows(dk.base, stride: s.Z),
                v: MutableFloatRows(dv.base, stride: s.E)), scratch: scratch.base)
        withExtendedLifetime((read, upstream, top, total)) {}
        expectAgreement(
            s.testDescription, outputs: ["y": y.values],
            gradients: ["q": dq.values, "k": minus(dk.values, dk0), "v": minus(dv.values, dv0)], up: ["y": dy],
            at: ["q": doubles(q), "k": doubles(k), "v": doubles(v)]
        ) { Self.equation(s, $0) }
    }

    @Test func scoresFarFromZeroDontOverflow() {
        let s = StreamSlice(RandomStream(length: 12, chunk: 4, bos: nil), 0..<12)
        let q = [Float](repeating: 30, count: s.T * s.Z)
        // Scores of 0, 2700, 5400 and so on: the latest key takes all.
        let k = (0..<s.held * s.Z).map { Float(30 * ($0 / s.Z)) }
        let v = (0..<s.held * s.E).map { Float($0 / s.E) }
        let attention = WindowAttention(
            heads: s.heads, keyDim: s.keyDim, valueDim: s.valueDim, chunk: s.stream.chunk)
        let scratch = FloatBuffer(attention.workspace(workers: 1))
        let (y, top, total) = (FloatBuffer(s.T * s.E), FloatBuffer(s.T * s.heads), FloatBuffer(s.T * s.heads))
        let read = [q, k, v].map { FloatBuffer($0) }
        let operands = WindowAttention.Operands(
            q: read[0].base, k: FloatRows(read[1].base, stride: s.Z), v: FloatRows(read[2].base, stride: s.E),
            y: y.base, top: top.base, total: total.base)
        attention.forward(context(s.plan), s.plan.attention, operands, scratch: scratch.base)
        withExtendedLifetime((read, top, total)) {}
        #expect(y.values == v)
    }
}

func minus(_ x: [Float], _ y: [Float]) -> [Float] { zip(x, y).map { $0 - $1 } }
