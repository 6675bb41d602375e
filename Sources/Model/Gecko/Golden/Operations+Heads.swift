import KernelInterface
import Numerics

// Attention and working memory, head by head.
extension Operations {
    /// The cursor of row `b` for the attention and memory cases.
    private func cursor(_ name: String, _ s: Heads, row b: Int) throws -> StreamCursor {
        // Documents are told apart where there are flags for their first tokens; then their numbers must be there, too.
        guard file.has("\(name).in.bos") else {
            return StreamCursor(
                position: s.position, count: 0, windowDocuments: [Int32](repeating: 0, count: s.n), memoryDocument: -1,
                lastDocument: 0)
        }
        func numbers(_ n: String, _ count: Int) throws -> [Int32] {
            try file.ints("\(name).in.\(n)", count: s.B * count).row(b, of: s.B)
        }
        let owner = file.has("\(name).in.memory") ? try numbers("memory_segment", 1)[0] : -1
        return StreamCursor(
            position: s.position, count: 0, windowDocuments: try numbers("window_segments", s.n), memoryDocument: owner,
            lastDocument: try numbers("last_segment", 1)[0])
    }

    private struct Heads {
        let B, L, H, dz, dv, n, chunk, position: Int
        var Z: Int { H * dz }
        var E: Int { H * dv }
        var queries: Int { B * L * Z }
        var outputs: Int { B * L * E }
    }

    private func heads(_ name: String) throws -> Heads {
        let h = try file.object(name)
        let q = try file.shape("\(name).in.q", axes: 4)
        let v = try file.shape("\(name).in.v", axes: 4)
        let (chunk, position) = (try h.int("chunk_size"), try h.int("position"))
        guard chunk > 0, position >= 0 else {
            throw VerificationError("\(file.name): '\(name)' has chunk_size \(chunk) and position \(position)")
        }
        // What the window must hold; its tensors are checked against it when they are read.
        let n = position - StreamCursor.windowStart(at: position, chunk: chunk)
        return Heads(B: q[0], L: q[1], H: q[2], dz: q[3], dv: v[3], n: n, chunk: chunk, position: position)
    }

    /// The window's rows before the slice's own.
    private func joined(_ name: String, _ tensor: String, width: Int, _ s: Heads, row b: Int) throws -> FloatBuffer {
        let window =
            s.n == 0
            ? []
            : try file.floats("\(name).in.window_\(tensor)", count: s.B * s.n * width).row(b, of: s.B)
        let own = try file.floats("\(name).in.\(tensor)", count: s.B * s.L * width).row(b, of: s.B)
        return FloatBuffer(window + own)
    }

    private func appendKeyGradients(_ all: inout GoldenTensors, _ s: Heads, dk: FloatBuffer, dv: FloatBuffer) {
        let (k, v) = (dk.values(), dv.values())
        all.append("grad.window_k", Array(k[..<(s.n * s.Z)]))
        all.append("grad.k", Array(k[(s.n * s.Z)...]))
        all.append("grad.window_v", Array(v[..<(s.n * s.E)]))
        all.append("grad.v", Array(v[(s.n * s.E)...]))
    }

    func attention(_ name: String, _ report: inout CaseReport) throws {
        let s = try heads(name)
        let attention = WindowAttention(heads: s.H, keyDim: s.dz, valueDim: s.dv, chunk: s.chunk)
        let scratch = FloatBuffer(attention.workspace(workers: team.count))
        var all = GoldenTensors()
        for b in 0..<s.B {
            let cursor = try cursor(name, s, row: b)
            let plan = plan(chunk: s.chunk)
                .moved(to: cursor, length: s.L, bos: try file.bos(name, row: b, of: s.B, length: s.L))
            let q = FloatBuffer(try file.floats("\(name).in.q", count: s.queries).row(b, of: s.B))
            let k = try joined(name, "k", width: s.Z, s, row: b)
            let v = try joined(name, "v", width: s.E, s, row: b)
            let y = FloatBuffer(s.L * s.E)
            let (top, total) = (FloatBuffer(s.L * s.H), FloatBuffer(s.L * s.H))
            let operands = WindowAttention.Operands(
                q: q.base, k: FloatRows(k.base, stride: s.Z), v: FloatRows(v.base, stride: s.E), y: y.base,
                top: top.base, total: total.base)
            attention.forward(context(plan), plan.attention, operands, scratch: scratch.base)
            all.append("out.y", y.values())
            let dy = FloatBuffer(try file.floats("\(name).up.y", count: s.outputs).row(b, of: s.B))
            let (dq, dk, dv) = (FloatBuffer(q.count), FloatBuffer(k.count), FloatBuffer(v.count))
            attention.backward(
                context(plan), plan.attention, operands,
                .init(
                    y: dy.base, q: dq.base, k: MutableFloatRows(dk.base, stride: s.Z),
                    v: MutableFloatRows(dv.base, stride: s.E)), scratch: scratch.base)
            withExtendedLifetime((q, k, v, top, total)) {}
            all.append("grad.q", dq.values())
            appendKeyGradients(&all, s, dk: dk, dv: dv)
        }
        try all.compare(name, of: file, &report)
    }

    func memory(_ name: String, _ report: inout CaseReport) throws {
        let s = try heads(name)
        let awm = AdaptiveWorkingMemory(heads: s.H, keyDim: s.dz, valueDim: s.dv, chunk: s.chunk)
        let scratch = FloatBuffer(awm.workspace(workers: team.count))
        var all = GoldenTensors()
        var segments: [String: [Int32]] = ["memory_segment": [], "last_segment": [], "window_segments": []]
        for b in 0..<s.B {
            let cursor = try cursor(name, s, row: b)
            let plan = plan(chunk: s.chunk)
                .moved(to: cursor, length: s.L, bos: try file.bos(name, row: b, of: s.B, length: s.L))
            func row(_ n: String, _ count: Int) throws -> FloatBuffer {
                FloatBuffer(try file.floats("\(name).\(n)", count: count).row(b, of: s.B))
            }
            let q = try row("in.q", s.queries)
            let k = try joined(name, "k", width: s.Z, s, row: b)
            let v = try joined(name, "v", width: s.E, s, row: b)
            let (memory, lognorm) = (try row("in.memory", s.B * s.Z * s.dv), try row("in.lognorm", s.B * s.Z))
            let y = FloatBuffer(s.L * s.E)
            let stash = FloatBuffer(awm.stash(pieces: plan.pieces.count))
            let inputs = AdaptiveWorkingMemory.Inputs(q: q.base, k: k.base, v: v.base)
            awm.forward(
                context(plan), inputs, y: y.base, memory: .init(values: memory.base, lognorm: lognorm.base),
                stash: stash.base, scratch: scratch.base)
            all.append("out.y", y.values())
            all.append("out.memory", memory.values())
            all.append("out.lognorm", lognorm.values())
            segments["memory_segment"]! += [plan.exit.memoryDocument]
            segments["last_segment"]! += [plan.exit.lastDocument]
            segments["window_segments"]! += plan.exit.windowDocuments
            let dy = try row("up.y", s.outputs)
            let (dm, dl) = (try row("up.memory", s.B * s.Z * s.dv), try row("up.lognorm", s.B * s.Z))
            let (dq, dk, dv) = (FloatBuffer(q.count), FloatBuffer(k.count), FloatBuffer(v.count))
            awm.backward(
                context(plan), inputs,
                .init(
                    y: dy.base, q: dq.base, k: dk.base, v: dv.base, memory: .init(values: dm.base, lognorm: dl.base)),
                stash: stash.base, scratch: scratch.base)
            withExtendedLifetime((q, k, v, dy)) {}
            all.append("grad.q", dq.values())
            all.append("grad.memory", dm.values())
            all.append("grad.lognorm", dl.values())
            appendKeyGradients(&all, s, dk: dk, dv: dv)
        }
        try all.compare(name, of: file, &report)
        for (n, found) in segments.sorted(by: { $0.key < $1.key }) where file.has("\(name).in.bos") {
            report.require("out.\(n)", found, try file.ints("\(name).out.\(n)"))
        }
    }
}
