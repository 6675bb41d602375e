import Glibc
import KernelInterface
import Numerics

/// Adaptive working memory (GECKO.md, AWM), per head a memory M [dz, dv] and a log-norm l [dz].
///
/// Read: softmax_features(aq) M. Absorb a chunk with keys k and values v:
///
///     R = softmax_features(k)   W = softmax_time(k)   s = logsumexp_time(k)   l' = logaddexp(s, l)   rho = e^{s - l'}
///     U = W (v - R M)           M' = M + rho (U - M)
///
/// Only the chunk's last document counts; an empty memory is M = 0, l = -infinity.
package struct AdaptiveWorkingMemory {
    package let heads: Int
    package let keyDim: Int
    package let valueDim: Int
    package let chunk: Int

    package init(heads: Int, keyDim: Int, valueDim: Int, chunk: Int) {
        self.heads = heads
        self.keyDim = keyDim
        self.valueDim = valueDim
        self.chunk = chunk
    }

    /// Floats of M for all heads, and of l.
    package var memoryCount: Int { heads * keyDim * valueDim }
    package var lognormCount: Int { heads * keyDim }
    private var memoryExtent: Extent { Extent(rows: keyDim, columns: valueDim) }
    /// Floats kept for the backward: the memory at each piece's entrance.
    package func stash(pieces: Int) -> Int { pieces * (memoryCount + lognormCount) }
    package func workspace(workers: Int) -> Int { workers * scratchCount }

    private var scratchCount: Int {
        var carver = Carver(counting: ())
        _ = Scratch(&carver, self, worker: 0)
        return carver.used
    }

    private struct Scratch {
        let worker: Int
        let a, da, r, w, x, dx, u, s, rho, e, emptyMemory, emptyLognorm: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ shape: AdaptiveWorkingMemory, worker: Int) {
            self.worker = worker
            let keys = shape.chunk * shape.keyDim
            let values = shape.chunk * shape.valueDim
            a = carver.take(keys)
            da = carver.take(keys)
            r = carver.take(keys)
            w = carver.take(keys)
            x = carver.take(values)
            dx = carver.take(values)
            u = carver.take(shape.keyDim * shape.valueDim)
            s = carver.take(shape.keyDim)
            rho = carver.take(shape.keyDim)
            e = carver.take(shape.keyDim)
            emptyMemory = carver.take(shape.keyDim * shape.valueDim)
            emptyLognorm = carver.take(shape.keyDim)
        }
    }

    private func scratch(_ base: UnsafeMutablePointer<Float>, worker: Int) -> Scratch {
        var carver = Carver(base + worker * scratchCount)
        return Scratch(&carver, self, worker: worker)
    }

    /// R, W, s, rho, X and U of an absorption into M, l; `newLognorm` receives l'.
    private func absorption(
        _ context: SliceContext, _ p: SlicePlan.Piece, _ head: Int, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
        memory: UnsafePointer<Float>, lognorm: UnsafePointer<Float>, newLognorm: UnsafeMutablePointer<Float>?,
        _ f: Scratch
    ) {
        let Z = heads * keyDim
        let E = heads * valueDim
        let rows = p.absorbed.count
        let first = p.absorbed.lowerBound - context.plan.windowStart
        let keys = k + first * Z + head * keyDim
        let extent = Extent(rows: rows, columns: keyDim)
        context.kernels.softmax.softmaxRows(
            MutableFloatRows(f.r, stride: keyDim), FloatRows(keys, stride: Z), extent)
        context.kernels.softmax.softmaxColumns(
            MutableFloatRows(f.w, stride: keyDim), f.s, FloatRows(keys, stride: Z), extent)
        for t in 0..<rows {
            (f.x + t * valueDim).update(from: v + (first + t) * E + head * valueDim, count: valueDim)
        }
        context.matrices.multiply(
            Product(
                rows: rows, columns: valueDim, depth: keyDim, Factor(f.r, stride: keyDim),
                Factor(memory, stride: valueDim), to: Destination(f.x, stride: valueDim, adds: true), scale: -1),
            on: f.worker)
        context.matrices.multiply(
            Product(
                rows: keyDim, columns: valueDim, depth: rows, Factor(f.w, stride: keyDim, transposed: true),
                Factor(f.x, stride: valueDim), to: Destination(f.u, stride: valueDim)),
            on: f.worker)
        for i in 0..<keyDim {
            let s = f.s[i]
            let l = lognorm[i]
            let m = max(s, l)
            let sum = m + log1pf(expf(min(s, l) - m))
            f.rho[i] = expf(s - sum)
            newLognorm?[i] = sum
        }
    }

    /// aq [T, Z], k [n + T, Z], v [n + T, E] -> y [T, E]. memory [H, dz, dv] and lognorm [H, dz] are the state, in and
    /// out; `stash` receives them at every piece's entrance.
    package func forward(
        _ context: SliceContext, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
        y: UnsafeMutablePointer<Float>, memory: UnsafeMutablePointer<Float>, lognorm: UnsafeMutablePointer<Float>,
        stash: UnsafeMutablePointer<Float>, scratch base: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        let size = keyDim * valueDim
        context.team.share(heads, as: .memory) { worker, heads in
            let f = scratch(base, worker: worker)
            for head in heads {
                let m = memory + head * size
                let l = lognorm + head * keyDim
                for (i, p) in plan.pieces.enumerated() {
                    let kept = stash + i * (memoryCount + lognormCount)
                    (kept + head * size).update(from: m, count: size)
                    (kept + memoryCount + head * keyDim).update(from: l, count: keyDim)
                    read(context, p, head, q: q, y: y, memory: m, f)
                    if p.absorbed.isEmpty { continue }
                    if p.wipes {
                        m.update(repeating: 0, count: size)
                        l.update(repeating: -.infinity, count: keyDim)
                    }
                    absorption(context, p, head, k: k, v: v, memory: m, lognorm: l, newLognorm: l, f)
                    context.kernels.memory.blendRows(
                        BlendRowsArguments(out: m, memory: m, update: f.u, rho: f.rho, extent: memoryExtent))
                }
            }
        }
    }

    /// softmax(aq) M for the tokens of a piece that may read, zeros for the others.
    private func read(
        _ context: SliceContext, _ p: SlicePlan.Piece, _ head: Int, q: UnsafePointer<Float>,
        y: UnsafeMutablePointer<Float>, memory: UnsafePointer<Float>, _ f: Scratch
    ) {
        let start = context.plan.start
        let Z = heads * keyDim
        let E = heads * valueDim
        for t in p.start..<p.end where !p.readers.contains(t) {
            (y + (t - start) * E + head * valueDim).update(repeating: 0, count: valueDim)
        }
        if p.readers.isEmpty { return }
        let row = p.readers.lowerBound - start
        context.kernels.softmax.softmaxRows(
            MutableFloatRows(f.a, stride: keyDim), FloatRows(q + row * Z + head * keyDim, stride: Z),
            Extent(rows: p.readers.count, columns: keyDim))
        context.matrices.multiply(
            Product(
                rows: p.readers.count, columns: valueDim, depth: keyDim, Factor(f.a, stride: keyDim),
                Factor(memory, stride: valueDim), to: Destination(y + row * E + head * valueDim, stride: E)),
            on: f.worker)
    }

    /// The forward's y [T, E] again, to the same bits, from the memories in `stash`.
    package func recall(
        _ context: SliceContext, q: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, stash: UnsafePointer<Float>,
        scratch base: UnsafeMutablePointer<Float>
    ) {
        context.team.share(heads, as: .memory) { worker, heads in
            let f = scratch(base, worker: worker)
            for head in heads {
                for (i, p) in context.plan.pieces.enumerated() {
                    let memory = stash + i * (memoryCount + lognormCount) + head * keyDim * valueDim
                    read(context, p, head, q: q, y: y, memory: memory, f)
                }
            }
        }
    }

    /// Reverse over the pieces, undoing each absorption before its reads. dq [T, Z] is set; dk, dv [n + T, ..] are
    /// added to; memoryGradient and lognormGradient hold the state's gradient, handed on in, taken in out.
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, q: UnsafePointer<Float>, k: UnsafePointer<Float>,
        v: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>,
        dv: UnsafeMutablePointer<Float>, memoryGradient: UnsafeMutablePointer<Float>,
        lognormGradient: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>,
        scratch base: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        let size = keyDim * valueDim
        context.team.share(heads, as: .memory) { worker, heads in
            let f = scratch(base, worker: worker)
            for head in heads {
                let dm = memoryGradient + head * size
                let dl = lognormGradient + head * keyDim
                for (i, p) in plan.pieces.enumerated().reversed() {
                    let kept = stash + i * (memoryCount + lognormCount)
                    let m = kept + head * size
                    let l = kept + memoryCount + head * keyDim
                    if !p.absorbed.isEmpty {
                        if p.wipes {
                            f.emptyMemory.update(repeating: 0, count: size)
                            f.emptyLognorm.update(repeating: -.infinity, count: keyDim)
                        }
                        absorptionBackward(
                            context, p, head, k: k, v: v, dk: dk, dv: dv, dm: dm, dl: dl,
                            memory: p.wipes ? f.emptyMemory : m, lognorm: p.wipes ? f.emptyLognorm : l, f)
                        if p.wipes {
                            dm.update(repeating: 0, count: size)
                            dl.update(repeating: 0, count: keyDim)
                        }
                    }
                    readBackward(context, p, head, dy: dy, q: q, dq: dq, dm: dm, memory: m, f)
                }
            }
        }
    }

    /// lam = dl' - e with e = rho sum dM' (U - M); ds = e + rho lam; dl = (1 - rho) lam; dU = rho dM'; dX = W^T dU; dW
    /// = dU X^T; dR = -dX M^T; dM = (1 - rho) dM' - R^T dX; dv += dX; dk += softmax_bwd(R, dR) + [softmax_bwd(W, dW) +
    /// W ds]^T.
    private func absorptionBackward(
        _ context: SliceContext, _ p: SlicePlan.Piece, _ head: Int, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
        dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>, dm: UnsafeMutablePointer<Float>,
        dl: UnsafeMutablePointer<Float>, memory: UnsafePointer<Float>, lognorm: UnsafePointer<Float>, _ f: Scratch
    ) {
        let Z = heads * keyDim
        let E = heads * valueDim
        let rows = p.absorbed.count
        let first = p.absorbed.lowerBound - context.plan.windowStart
        absorption(context, p, head, k: k, v: v, memory: memory, lognorm: lognorm, newLognorm: nil, f)
        context.kernels.memory.blendRowsBackward(
            BlendRowsBackwardArguments(
                dlogRho: f.e, dupdate: f.u, dmemory: dm, memory: memory, update: f.u, rho: f.rho,
                extent: memoryExtent))
        for i in 0..<keyDim {
            let lam = dl[i] - f.e[i]
            f.s[i] = f.e[i] + f.rho[i] * lam
            dl[i] = (1 - f.rho[i]) * lam
        }
        context.matrices.multiply(
            Product(
                rows: rows, columns: valueDim, depth: keyDim, Factor(f.w, stride: keyDim),
                Factor(f.u, stride: valueDim), to: Destination(f.dx, stride: valueDim)),
            on: f.worker)
        let dkeys = dk + first * Z + head * keyDim
        // dW^T = X dU^T, then dR = -dX M^T in the same scratch.
        context.matrices.multiply(
            Product(
                rows: rows, columns: keyDim, depth: valueDim, Factor(f.x, stride: valueDim),
                Factor(f.u, stride: valueDim, transposed: true), to: Destination(f.da, stride: keyDim)),
            on: f.worker)
        let extent = Extent(rows: rows, columns: keyDim)
        context.kernels.softmax.softmaxColumnsBackward(
            SoftmaxColumnsBackwardArguments(
                dx: MutableFloatRows(dkeys, stride: Z), dy: FloatRows(f.da, stride: keyDim),
                y: FloatRows(f.w, stride: keyDim), dlogSum: f.s, extent: extent))
        context.matrices.multiply(
            Product(
                rows: rows, columns: keyDim, depth: valueDim, Factor(f.dx, stride: valueDim),
                Factor(memory, stride: valueDim, transposed: true), to: Destination(f.da, stride: keyDim), scale: -1),
            on: f.worker)
        context.kernels.softmax.softmaxRowsBackward(
            SoftmaxRowsBackwardArguments(
                dx: MutableFloatRows(dkeys, stride: Z), dy: FloatRows(f.da, stride: keyDim),
                y: FloatRows(f.r, stride: keyDim), extent: extent, adds: true))
        context.matrices.multiply(
            Product(
                rows: keyDim, columns: valueDim, depth: rows, Factor(f.r, stride: keyDim, transposed: true),
                Factor(f.dx, stride: valueDim), to: Destination(dm, stride: valueDim, adds: true), scale: -1),
            on: f.worker)
        for t in 0..<rows {
            context.kernels.elementwise.addTo(dv + (first + t) * E + head * valueDim, f.dx + t * valueDim, valueDim)
        }
    }

    /// A = softmax(aq): daq = softmax_bwd(A, do M^T); dM += A^T do. Tokens that may not read pass nothing.
    private func readBackward(
        _ context: SliceContext, _ p: SlicePlan.Piece, _ head: Int, dy: UnsafePointer<Float>,
        q: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>, dm: UnsafeMutablePointer<Float>,
        memory: UnsafePointer<Float>, _ f: Scratch
    ) {
        let start = context.plan.start
        let Z = heads * keyDim
        let E = heads * valueDim
        for t in p.start..<p.end where !p.readers.contains(t) {
            (dq + (t - start) * Z + head * keyDim).update(repeating: 0, count: keyDim)
        }
        let rows = p.readers.count
        if rows == 0 { return }
        let row = p.readers.lowerBound - start
        let out = dy + row * E + head * valueDim
        let extent = Extent(rows: rows, columns: keyDim)
        context.kernels.softmax.softmaxRows(
            MutableFloatRows(f.a, stride: keyDim), FloatRows(q + row * Z + head * keyDim, stride: Z), extent)
        context.matrices.multiply(
            Product(
                rows: rows, columns: keyDim, depth: valueDim, Factor(out, stride: E),
                Factor(memory, stride: valueDim, transposed: true), to: Destination(f.da, stride: keyDim)),
            on: f.worker)
        context.kernels.softmax.softmaxRowsBackward(
            SoftmaxRowsBackwardArguments(
                dx: MutableFloatRows(dq + row * Z + head * keyDim, stride: Z), dy: FloatRows(f.da, stride: keyDim),
                y: FloatRows(f.a, stride: keyDim), extent: extent, adds: false))
        context.matrices.multiply(
            Product(
                rows: keyDim, columns: valueDim, depth: rows, Factor(f.a, stride: keyDim, transposed: true),
                Factor(out, stride: E), to: Destination(dm, stride: valueDim, adds: true)),
            on: f.worker)
    }
}
