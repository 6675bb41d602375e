import Kernels
import Numerics

/// Runs the golden cases of a Mega's operations.
struct MegaOperations {
    let file: any GoldenSource
    let matrices: any MatrixProducts

    /// A slice of tokens of which those flagged begin a document.
    private func slice(_ c: MegaConfiguration, at cursor: StreamCursor, bos: [Bool]?, length: Int) -> MegaSlice {
        let slice = MegaSlice(c)
        let tokens: [Int32] = (0..<length).map { bos?[$0] == true ? 0 : 1 }
        tokens.withUnsafeBufferPointer { slice.move(to: cursor, length: length, tokens: $0.baseAddress!) }
        return slice
    }

    private func context(_ slice: MegaSlice, workspace: FloatBuffer = FloatBuffer(0)) -> SliceContext {
        SliceContext(matrices: matrices, slice: slice, workspace: workspace.base)
    }

    func average(_ name: String, _ report: inout CaseReport) throws {
        let shape = try file.shape("\(name).in.x", axes: 3)
        let (B, L, D) = (shape[0], shape[1], shape[2])
        let N = try file.shape("\(name).in.alpha", axes: 2)[1]
        func tensor(_ n: String, _ count: Int) throws -> [Float] { try file.floats("\(name).\(n)", count: count) }
        let names = ["alpha", "delta", "beta", "gamma"]
        let values = try names.map { FloatBuffer(try tensor("in.\($0)", D * N)) }
        let gradients = names.map { _ in FloatBuffer(D * N) }
        let ema = DampedEMA(dim: D, orders: N)
        let parameters = DampedEMA.Parameters(
            alpha: values[0].base, delta: values[1].base, beta: values[2].base, gamma: values[3].base)
        ema.prepare(parameters)
        let places = (0..<D).flatMap { d in (0..<N).map { $0 * ema.padded + d } }
        let scratch = FloatBuffer(DampedEMA.workspace(workers: matrices.team.count))
        var c = MegaConfiguration()
        c.bosID = file.has("\(name).in.bos") ? 0 : nil
        var all = GoldenTensors()
        for b in 0..<B {
            let slice = slice(
                c, at: MegaCursor.form.start, bos: try file.bos(name, row: b, of: B, length: L), length: L)
            func state(_ role: String) throws -> FloatBuffer {
                let out = FloatBuffer(N * ema.padded)
                guard file.has("\(name).\(role).h") else { return out }
                for (place, value) in zip(places, try tensor("\(role).h", B * D * N).row(b, of: B)) {
                    out.base[place] = value
                }
                return out
            }
            let (h, dh) = (try state("in"), try state("up"))
            let x = FloatBuffer(try tensor("in.x", B * L * D).row(b, of: B))
            let dy = FloatBuffer(try tensor("up.y", B * L * D).row(b, of: B))
            let (y, dx) = (FloatBuffer(L * D), FloatBuffer(L * D))
            let entries = FloatBuffer(slice.tiles.starts.count * N * ema.padded)
            let kept = DampedEMA.Kept(x: x.base, entries: entries.base, tiles: slice.tiles)
            ema.forward(context(slice), kept, y: y.base, state: h.base, scratch: scratch.base)
            all.append("out.y", y.values())
            all.append("out.h", places.map { h.base[$0] })
            ema.backward(
                context(slice), dy: dy.base, dx: dx.base, kept, stateGradient: dh.base, scratch: scratch.base)
            withExtendedLifetime((x, entries)) {}
            all.append("grad.x", dx.values())
            all.append("grad.h", places.map { dh.base[$0] })
        }
        let (p, q) = ema.coefficientValues()
        all.append("out.p", p)
        all.append("out.q", q)
        ema.addCoefficientGradients(p: try tensor("up.p", D * N), q: try tensor("up.q", D * N))
        ema.addParameterGradients(
            .init(
                alpha: gradients[0].base, delta: gradients[1].base, beta: gradients[2].base, gamma: gradients[3].base),
            of: parameters)
        for (tensor, gradient) in zip(names, gradients) { all.append("grad.\(tensor)", gradient.values()) }
        withExtendedLifetime(values) {}
        try all.compare(name, of: file, &report)
    }

    func positionBias(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        let kind: MegaConfiguration.PositionBiasKind = try MegaConfiguration.choice("kind", of: h)
        let length = try h.int("length")
        let names =
            kind == .rotary
            ? [(ours: "alpha", theirs: "alpha"), (ours: "beta", theirs: "beta")]
            : [(ours: "rel_pos_bias", theirs: "table")]
        let form = PositionBias.Form(
            kind: kind, features: kind == .rotary ? try file.shape("\(name).in.alpha", axes: 1)[0] : 0,
            distances: kind == .simple ? try h.int("max_positions") : 0, prefix: "")
        let store = ParameterStore(form.parameters)
        for (ours, theirs) in names { try store.set(ours, try file.floats("\(name).in.\(theirs)"), file: file.name) }
        let bias = PositionBias(form)
        bias.bind(store)
        bias.prepare()
        // In two steps, the second of which makes more room.
        bias.reach(length / 2)
        bias.reach(length)
        var all = GoldenTensors()
        all.append("out.bias", bias.biases(length))
        bias.addGradients(try file.floats("\(name).up.bias", count: length))
        bias.addParameterGradients()
        for (ours, theirs) in names { all.append("grad.\(theirs)", store.gradientValues(ours)) }
        try all.compare(name, of: file, &report)
    }

    func attention(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        var c = MegaConfiguration()
        c.attention = try MegaConfiguration.choice("attention", of: h)
        c.chunk = h.optionalInt("chunk_size") ?? 0
        c.bosID = file.has("\(name).in.bos") ? 0 : nil
        let golden = try GoldenAttention(name, of: file, matrices: matrices) { c.chunkStart(of: $0) }
        (c.zDim, c.valueDim) = (golden.keyDim, golden.valueDim)
        // From the farthest distance to 0, as attention takes it.
        let bias = FloatBuffer(try file.floats("\(name).in.bias").reversed())
        let last = bias.count - 1
        try golden.run(
            c.chunkAttention, bias: bias, &report
        ) { b in
            let cursor = try c.goldenCursor(position: golden.position) { try golden.numbers($0, $1, row: b) }
            let bos = try file.bos(name, row: b, of: golden.rows, length: golden.length)
            let slice = slice(c, at: cursor, bos: bos, length: golden.length)
            guard slice.distances <= last + 1 else {
                throw VerificationError("\(file.name): '\(name)' has biases of \(last + 1) distances only")
            }
            return (slice, slice.window, slice.scoreScales)
        }
    }

    func feedForward(_ name: String, _ report: inout CaseReport) throws {
        var c = MegaConfiguration()
        c.dim = try file.shape("\(name).in.y").last ?? 0
        c.ffnDim = try file.shape("\(name).in.fc1", axes: 2)[0]
        c.eps = try file.object(name).number("eps")
        try GoldenFeedForward(
            form: c.feedForward(layer: 0),
            names: [
                (ours: "norm.norm.weight", theirs: "norm_weight"), (ours: "norm.norm.bias", theirs: "norm_bias"),
                (ours: "fc1.weight", theirs: "fc1"), (ours: "fc1.bias", theirs: "fc1_bias"),
                (ours: "fc2.weight", theirs: "fc2"), (ours: "fc2.bias", theirs: "fc2_bias"),
            ], prefix: "layers.0.nffn.", hasTwoHops: false
        ).run(name, of: file, &report) { T in
            context(slice(c, at: MegaCursor.form.start, bos: nil, length: T))
        }
    }
}
