import Numerics

/// A golden case of a complex EMA: without its residual, and with p and q, or with a weighted residual and gamma over
/// the root of its orders.
struct GoldenComplexEMA {
    let file: any GoldenSource
    let isWeighted: Bool

    /// - Parameter slice: a context of so many tokens, of which these begin a document, and its tiles
    func run(
        _ name: String, _ report: inout CaseReport,
        slice: (_ length: Int, _ bos: [Bool]?) -> (context: SliceContext, tiles: DocumentTiles)
    ) throws {
        let shape = try file.shape("\(name).in.x", axes: 3)
        let (B, L, D) = (shape[0], shape[1], shape[2])
        let N = try file.shape("\(name).in.alpha", axes: 2)[1]
        func tensor(_ n: String, _ count: Int) throws -> [Float] { try file.floats("\(name).\(n)", count: count) }
        func buffer(_ n: String, _ count: Int) throws -> FloatBuffer { FloatBuffer(try tensor(n, count)) }
        let (alpha, delta) = (try buffer("in.alpha", D * N), try buffer("in.delta", D * N))
        let (theta, gamma) = (try buffer("in.theta", D), try buffer("in.gamma", 2 * D * N))
        let omega = isWeighted ? try buffer("in.omega", D) : nil
        let ema = ComplexEMA(dim: D, orders: N, gammaScale: isWeighted ? 1 / Double(N).squareRoot() : 1)
        let parameters = ComplexEMA.Parameters(
            alpha: alpha.base, delta: delta.base, theta: theta.base, gamma: gamma.base, omega: omega?.base)
        ema.prepare(parameters)
        let domega = FloatBuffer(D)
        var all = GoldenTensors()
        for b in 0..<B {
            let (context, tiles) = slice(L, try file.bos(name, row: b, of: B, length: L))
            let scratch = FloatBuffer(ema.workspace(workers: context.team.count))
            let x = FloatBuffer(try tensor("in.x", B * L * D).row(b, of: B))
            let state = packed(try tensor("in.h", 2 * B * D * N).row(b, of: B), ema)
            let entries = FloatBuffer(ema.entryCount(tiles: tiles.starts.count))
            let y = FloatBuffer(L * D)
            let kept = ComplexEMA.Kept(x: x.base, entries: entries.base, tiles: tiles)
            ema.forward(context, kept, y: y.base, state: state.base, scratch: scratch.base)
            all.append("out.y", isWeighted ? y.values() : zip(y.values(), x.values()).map { $0 - $1 })
            all.append("out.h", unpacked(state, ema))
            let dy = FloatBuffer(try tensor("up.y", B * L * D).row(b, of: B))
            let dh = packed(try tensor("up.h", 2 * B * D * N).row(b, of: B), ema)
            let dx = FloatBuffer(L * D)
            ema.backward(context, dy: dy.base, dx: dx.base, kept, stateGradient: dh.base, scratch: scratch.base)
            if isWeighted { ema.addResidualWeightGradient(context, domega.base, dy: dy.base, kept) }
            withExtendedLifetime((x, entries, dy)) {}
            all.append("grad.x", isWeighted ? dx.values() : zip(dx.values(), dy.values()).map { $0 - $1 })
            all.append("grad.h", unpacked(dh, ema))
        }
        if !isWeighted {
            let (p, q) = ema.coefficientValues()
            all.append("out.p", p)
            all.append("out.q", q)
            ema.addCoefficientGradients(p: try tensor("up.p", D * N), q: try tensor("up.q", 2 * D * N))
        }
        let (da, dd, dt, dg) = (FloatBuffer(D * N), FloatBuffer(D * N), FloatBuffer(D), FloatBuffer(2 * D * N))
        ema.addParameterGradients(
            .init(alpha: da.base, delta: dd.base, theta: dt.base, gamma: dg.base), of: parameters)
        withExtendedLifetime((alpha, delta, theta, gamma, omega)) {}
        for (n, g) in [("alpha", da), ("delta", dd), ("theta", dt), ("gamma", dg), ("omega", domega)] {
            all.append("grad.\(n)", g.values())
        }
        try all.compare(name, of: file, &report)
    }

    /// [D, N, 2] to the padded planes.
    private func packed(_ h: [Float], _ ema: ComplexEMA) -> FloatBuffer {
        let (D, N) = (ema.dim, ema.orders)
        let out = FloatBuffer(ema.stateCount)
        for d in 0..<D {
            for n in 0..<N {
                for part in 0..<2 { out.base[(part * N + n) * ema.padded + d] = h[(d * N + n) * 2 + part] }
            }
        }
        return out
    }

    private func unpacked(_ h: FloatBuffer, _ ema: ComplexEMA) -> [Float] {
        let (D, N) = (ema.dim, ema.orders)
        return (0..<D).flatMap { d in
            (0..<N).flatMap { n in (0..<2).map { h.base[($0 * N + n) * ema.padded + d] } }
        }
    }
}
