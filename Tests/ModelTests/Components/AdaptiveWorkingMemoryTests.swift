import Glibc
import Hardware
import Model
import Numerics
import TestSupport
import Testing

@Suite struct AdaptiveWorkingMemoryTests {
    private static func softmax(_ x: [Double]) -> [Double] {
        let e = x.map { exp($0) }
        let total = e.reduce(0, +)
        return e.map { $0 / total }
    }

    private static func logAddExp(_ a: Double, _ b: Double) -> Double {
        let top = max(a, b)
        return top == -.infinity ? top : top + log(exp(a - top) + exp(b - top))
    }

    /// One head: read token by token, absorb when a chunk completes.
    private static func equation(_ s: StreamSlice, head h: Int, _ a: Arguments, _ out: inout Arguments) {
        let rules = TokenRules(s.stream)
        let (dz, dv) = (s.keyDim, s.valueDim)
        var M = (0..<dz).map { i in (0..<dv).map { a["memory"]![(h * dz + i) * dv + $0] } }
        var l = (0..<dz).map { a["lognorm"]![h * dz + $0] }
        func key(_ i: Int) -> [Double] { (0..<dz).map { a["k"]![(i - s.windowStart) * s.Z + h * dz + $0] } }
        func value(_ i: Int) -> [Double] { (0..<dv).map { a["v"]![(i - s.windowStart) * s.E + h * dv + $0] } }
        func read(_ weights: [Double]) -> [Double] {
            (0..<dv).map { j in weights.indices.reduce(0) { $0 + weights[$1] * M[$1][j] } }
        }
        for i in s.start..<s.end {
            if s.stream.bos == nil || rules.reads(i) {
                let q = (0..<dz).map { a["q"]![(i - s.start) * s.Z + h * dz + $0] }
                for (j, value) in read(softmax(q)).enumerated() {
                    out["y"]![(i - s.start) * s.E + h * dv + j] = value
                }
            }
            guard (i + 1) % s.stream.chunk == 0 else { continue }
            let c = i / s.stream.chunk
            let absorbed = rules.absorbed(whenChunkCompletes: c)
            if absorbed.isEmpty { continue }
            if s.stream.bos != nil && rules.wipes(whenChunkCompletes: c) {
                M = M.map { $0.map { _ in 0 } }
                l = l.map { _ in -.infinity }
            }
            // X = v - R M, row by row of the chunk.
            let X = absorbed.map { t in zip(value(t), read(softmax(key(t)))).map { $0 - $1 } }
            for i in 0..<dz {
                let column = absorbed.map { key($0)[i] }
                let W = softmax(column)
                let sum = log(column.reduce(0) { $0 + exp($1) })
                let norm = logAddExp(sum, l[i])
                let rho = exp(sum - norm)
                l[i] = norm
                for j in 0..<dv {
                    let U = W.indices.reduce(0) { $0 + W[$1] * X[$1][j] }
                    M[i][j] += rho * (U - M[i][j])
                }
            }
        }
        for i in 0..<dz {
            out["lognorm"]![h * dz + i] = l[i]
            for j in 0..<dv { out["memory"]![(h * dz + i) * dv + j] = M[i][j] }
        }
    }

    private static func equation(_ s: StreamSlice, _ a: Arguments) -> Arguments {
        var out: Arguments = ["y": [Double](repeating: 0, count: s.T * s.E), "memory": [], "lognorm": []]
        out["memory"] = [Double](repeating: 0, count: s.Z * s.valueDim)
        out["lognorm"] = [Double](repeating: 0, count: s.Z)
        for h in 0..<s.heads { equation(s, head: h, a, &out) }
        return out
    }

    @Test(arguments: StreamSlice.all) func itReadsAndAbsorbsByTheRules(_ s: StreamSlice) {
        var noise = Noise(611)
        let (q, k, v) = (
            noise.floats(s.T * s.Z, scale: 2), noise.floats(s.held * s.Z, scale: 2), noise.floats(s.held * s.E)
        )
        // Nothing is in the memory until a chunk has left the window.
        let isEmpty = s.start / s.stream.chunk < s.stream.chunks
        let memory = isEmpty ? [Float](repeating: 0, count: s.Z * s.valueDim) : noise.floats(s.Z * s.valueDim)
        let lognorm = isEmpty ? [Float](repeating: -.infinity, count: s.Z) : noise.floats(s.Z)
        let up = [
            "y": noise.floats(s.T * s.E), "memory": noise.floats(memory.count),
            // An empty memory has no log-norm to pass a gradient to.
            "lognorm": s.end / s.stream.chunk < s.stream.chunks ? [Float](repeating: 0, count: s.Z) : noise.floats(s.Z),
        ]
        let (dk0, dv0) = (noise.floats(k.count), noise.floats(v.count))
        let awm = AdaptiveWorkingMemory(
            heads: s.heads, keyDim: s.keyDim, valueDim: s.valueDim, chunk: s.stream.chunk)
        let plan = s.plan
        let scratch = FloatBuffer(awm.workspace(workers: 1))
        let stash = FloatBuffer(awm.stash(pieces: plan.pieces.count))
        let (y, m, l) = (FloatBuffer(s.T * s.E), FloatBuffer(memory), FloatBuffer(lognorm))
        let read = [q, k, v].map { FloatBuffer($0) }
        let inputs = AdaptiveWorkingMemory.Inputs(q: read[0].base, k: read[1].base, v: read[2].base)
        awm.forward(
            context(plan), inputs, y: y.base, memory: .init(values: m.base, lognorm: l.base), stash: stash.base,
            scratch: scratch.base)
        let again = FloatBuffer([Float](repeating: .nan, count: s.T * s.E))
        awm.recall(context(plan), q: q, y: again.base, stash: stash.base, scratch: scratch.base)
        #expect(again.values == y.values, "what is recalled for the backward must have the forward's bits")
        let (dq, dk, dv) = (FloatBuffer(q.count), FloatBuffer(dk0), FloatBuffer(dv0))
        let (dm, dl, dy) = (FloatBuffer(up["memory"]!), FloatBuffer(up["lognorm"]!), FloatBuffer(up["y"]!))
        awm.backward(
            context(plan), inputs,
            .init(
                y: dy.base, q: dq.base, k: dk.base, v: dv.base, memory: .init(values: dm.base, lognorm: dl.base)),
            stash: stash.base, scratch: scratch.base)
        withExtendedLifetime((read, dy)) {}
        var gradients = ["q": dq.values, "k": minus(dk.values, dk0), "v": minus(dv.values, dv0)]
        if !isEmpty {
            gradients["memory"] = dm.values
            gradients["lognorm"] = dl.values
        }
        expectAgreement(
            s.testDescription, outputs: ["y": y.values, "memory": m.values, "lognorm": l.values], gradients: gradients,
            up: up,
            at: [
                "q": doubles(q), "k": doubles(k), "v": doubles(v), "memory": doubles(memory),
                "lognorm": doubles(lognorm),
            ]
        ) { Self.equation(s, $0) }
    }

    @Test func aMemoryOfAnotherDocumentGetsNoGradient() {
        // The third chunk completes in a document that begins in the second: the memory taken in is wiped and never
        // read.
        let stream = RandomStream(length: 12, chunk: 4, bos: (0..<12).map { $0 == 0 || $0 == 5 })
        let s = StreamSlice(stream, 8..<12)
        #expect(s.plan.pieces.map(\.wipes) == [true])
        let awm = AdaptiveWorkingMemory(heads: s.heads, keyDim: s.keyDim, valueDim: s.valueDim, chunk: 4)
        var noise = Noise(612)
        let (q, k, v) = (noise.floats(s.T * s.Z), noise.floats(s.held * s.Z), noise.floats(s.held * s.E))
        let scratch = FloatBuffer(awm.workspace(workers: 1))
        let stash = FloatBuffer(awm.stash(pieces: 1))
        let (m, l) = (FloatBuffer(noise.floats(s.Z * s.valueDim)), FloatBuffer(noise.floats(s.Z)))
        let y = FloatBuffer(s.T * s.E)
        let read = [q, k, v].map { FloatBuffer($0) }
        let inputs = AdaptiveWorkingMemory.Inputs(q: read[0].base, k: read[1].base, v: read[2].base)
        awm.forward(
            context(s.plan), inputs, y: y.base, memory: .init(values: m.base, lognorm: l.base), stash: stash.base,
            scratch: scratch.base)
        #expect(y.values.allSatisfy { $0 == 0 })
        let (dq, dk, dv) = (FloatBuffer(q.count), FloatBuffer(k.count), FloatBuffer(v.count))
        let (dm, dl) = (FloatBuffer(noise.floats(m.count)), FloatBuffer(noise.floats(l.count)))
        let dy = FloatBuffer(noise.floats(y.count))
        awm.backward(
            context(s.plan), inputs,
            .init(
                y: dy.base, q: dq.base, k: dk.base, v: dv.base, memory: .init(values: dm.base, lognorm: dl.base)),
            stash: stash.base, scratch: scratch.base)
        withExtendedLifetime((read, dy)) {}
        #expect((dm.values + dl.values + dq.values).allSatisfy { $0 == 0 })
        #expect(dv.values.contains { $0 != 0 })
    }
}
