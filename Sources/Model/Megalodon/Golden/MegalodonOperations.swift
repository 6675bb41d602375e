import Hardware
import KernelInterface
import Numerics

/// Runs the golden cases of a Megalodon's operations, row by row of the batch.
struct MegalodonOperations {
    let file: any GoldenSource
    let matrices: any MatrixProducts

    private static let mark: Int32 = 0

    /// A model of one head and one group, whose slices know documents where the case has them.
    private func model(_ name: String) -> MegalodonConfiguration {
        var c = MegalodonConfiguration()
        (c.heads, c.zDim, c.normGroups, c.chunk) = (1, 2, 1, 1 << 24)
        c.bosID = file.has("\(name).in.bos") ? Int(Self.mark) : nil
        return c
    }

    /// A slice of so many tokens, of which these begin a document.
    private func slice(
        _ c: MegalodonConfiguration, at cursor: StreamCursor = MegalodonCursor.form.start, length: Int, bos: [Bool]?
    ) -> MegalodonSlice {
        let slice = MegalodonSlice(c)
        let tokens = (0..<length).map { bos?[$0] == true ? Self.mark : Self.mark + 1 }
        tokens.withUnsafeBufferPointer { slice.move(to: cursor, length: length, tokens: $0.baseAddress!) }
        return slice
    }

    private func context(_ slice: MegalodonSlice) -> SliceContext {
        SliceContext(matrices: matrices, slice: slice, workspace: FloatBuffer(0).base)
    }

    func timestepNorm(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let shape = try file.shape("\(name).in.x", axes: 3)
        let (B, L, D) = (shape[0], shape[1], shape[2])
        var c = model(name)
        (c.dim, c.normGroups, c.eps) = (D, try h.int("groups"), try h.number("eps"))
        let G = c.normGroups
        try file.requireDivides(G, D, "groups of \(name)")
        func row(_ n: String, _ count: Int, _ b: Int) throws -> [Float] {
            try file.floats("\(name).\(n)", count: B * count).row(b, of: B)
        }
        let store = ParameterStore(TimestepNorm.parameters(dim: D, weight: "weight", bias: "bias"))
        for n in ["weight", "bias"] { try store.set(n, try file.floats("\(name).in.\(n)"), file: file.name) }
        let norm = TimestepNorm(dim: D, groups: G, eps: c.eps, store, weight: "weight", bias: "bias")
        let scratch = FloatBuffer(TimestepNorm.workspace(groups: G))
        let rests = [Float](repeating: 0, count: G)
        var all = GoldenTensors()
        var counts: [Int32] = []
        for b in 0..<B {
            let count = Int(try file.ints("\(name).in.count", count: B)[b])
            let cursor = MegalodonCursor.at(0, count: count, document: 0, window: [])
            let slice = slice(c, at: cursor, length: L, bos: try file.bos(name, row: b, of: B, length: L))
            counts.append(Int32(MegalodonCursor.count(slice.exit)))
            let (x, y) = (FloatBuffer(try row("in.x", L * D, b)), FloatBuffer(L * D))
            let (mean, variance) = (
                FloatBuffer(try row("in.mean", G, b) + rests), FloatBuffer(try row("in.var", G, b) + rests)
            )
            let (means, scales) = (FloatBuffer(L * G), FloatBuffer(L * G))
            let kept = TimestepNorm.Kept(x: x.base, means: means.base, scales: scales.base)
            norm.forward(
                context(slice), kept, y: y.base,
                moments: CumulativeMoments(mean: mean.base, variance: variance.base), shares: slice.shares)
            all.append("out.y", y.values())
            all.append("out.mean", mean.values(G))
            all.append("out.var", variance.values(G))
            let (dmean, dvariance) = (
                FloatBuffer(try row("up.mean", G, b) + rests), FloatBuffer(try row("up.var", G, b) + rests)
            )
            let (dy, dx) = (FloatBuffer(try row("up.y", L * D, b)), FloatBuffer(L * D))
            norm.backward(
                context(slice), dy: dy.base, dx: dx.base, kept,
                momentGradients: CumulativeMoments(mean: dmean.base, variance: dvariance.base), shares: slice.shares,
                scratch: scratch.base)
            withExtendedLifetime((x, means, scales, dy)) {}
            all.append("grad.x", dx.values())
            all.append("grad.mean", dmean.values(G))
            all.append("grad.var", dvariance.values(G))
        }
        for n in ["weight", "bias"] { all.append("grad.\(n)", store.gradientValues(n)) }
        try all.compare(name, of: file, &report)
        report.require("out.count", counts, try file.ints("\(name).out.count"))
    }

    func complexEMA(_ name: String, _ report: inout CaseReport) throws {
        let c = model(name)
        try GoldenComplexEMA(file: file, isWeighted: true).run(name, &report) { length, bos in
            let slice = slice(c, length: length, bos: bos)
            return (context(slice), slice.tiles)
        }
    }

    func rotary(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let shape = try file.shape("\(name).in.x", axes: 4)
        let (B, L, H, dz) = (shape[0], shape[1], shape[2], shape[3])
        guard dz % 2 == 0 else {
            throw VerificationError("\(file.name): '\(name)' rotates heads with an odd number of features, \(dz)")
        }
        var c = model(name)
        (c.heads, c.zDim) = (H, H * dz)
        (c.chunk, c.ropeBase) = (try h.int("chunk_size"), try h.number("base"))
        let position = try h.int("first_position")
        let held = position - MegalodonCursor.windowStart(at: position, chunk: c.chunk)
        let cursor = MegalodonCursor.at(
            position, count: position, document: 0, window: [Int32](repeating: 0, count: held))
        let slice = slice(c, at: cursor, length: L, bos: nil)
        func rotated(_ values: [Float], direction: Float) -> [Float] {
            let x = FloatBuffer(values)
            slice.rotation.rotate(
                context(slice), MutableFloatRows(x.base, stride: H * dz), features: dz, heads: H, direction: direction)
            return x.values()
        }
        var all = GoldenTensors()
        for b in 0..<B {
            all.append("out.y", rotated(try file.floats("\(name).in.x").row(b, of: B), direction: 1))
            let dy = try file.floats("\(name).up.y", count: B * L * H * dz).row(b, of: B)
            all.append("grad.x", rotated(dy, direction: -1))
        }
        try all.compare(name, of: file, &report)
    }

    func attention(_ name: String, _ report: inout CaseReport) throws {
        var c = model(name)
        c.chunk = try file.object(name).int("chunk_size")
        guard c.chunk > 0 else { throw VerificationError("\(file.name): '\(name)' has chunks of \(c.chunk) tokens") }
        let chunk = c.chunk
        let golden = try GoldenAttention(name, of: file, matrices: matrices) {
            MegalodonCursor.windowStart(at: $0, chunk: chunk)
        }
        (c.heads, c.zDim, c.valueDim) = (golden.heads, golden.heads * golden.keyDim, golden.heads * golden.valueDim)
        try golden.run(c.chunkAttention, scale: 1, &report) { b in
            let cursor = try c.goldenCursor(position: golden.position) { n, count in
                n == "norm_count" ? nil : try golden.numbers(n, count, row: b)
            }
            let slice = slice(
                c, at: cursor, length: golden.length,
                bos: try file.bos(name, row: b, of: golden.rows, length: golden.length))
            return (slice, slice.window)
        }
    }
}
