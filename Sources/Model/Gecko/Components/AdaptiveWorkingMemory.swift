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

    /// M [H, dz, dv] and l [H, dz], or their gradients; of all heads, or from one head on.
    package struct Memory {
        let values, lognorm: UnsafeMutablePointer<Float>

        package init(
            @_nonEphemeral values: UnsafeMutablePointer<Float>, @_nonEphemeral lognorm: UnsafeMutablePointer<Float>
        ) {
            self.values = values
            self.lognorm = lognorm
        }
    }

    /// What a slice reads: of all heads, or from one head on.
    package struct Inputs {
        /// aq [T, Z].
        let q: UnsafePointer<Float>
        /// [n + T, Z] and [n + T, E], from the window's start on.
        let k, v: UnsafePointer<Float>

        package init(
            @_nonEphemeral q: UnsafePointer<Float>, @_nonEphemeral k: UnsafePointer<Float>,
            @_nonEphemeral v: UnsafePointer<Float>
        ) {
            self.q = q
            self.k = k
            self.v = v
        }
    }

    /// What a backward takes and gives: of all heads, or from one head on.
    package struct Gradients {
        /// dy [T, E].
        let y: UnsafePointer<Float>
        /// [T, Z]; set.
        let q: UnsafeMutablePointer<Float>
        /// [n + T, Z] and [n + T, E]; added to.
        let k, v: UnsafeMutablePointer<Float>
        /// Of the memory handed on, in; of the memory taken in, out.
        let memory: Memory

        package init(
            @_nonEphemeral y: UnsafePointer<Float>, @_nonEphemeral q: UnsafeMutablePointer<Float>,
            @_nonEphemeral k: UnsafeMutablePointer<Float>,
            @_nonEphemeral v: UnsafeMutablePointer<Float>, memory: Memory
        ) {
            self.y = y
            self.q = q
            self.k = k
            self.v = v
            self.memory = memory
        }
    }

    private func head(_ head: Int, of memory: Memory) -> Memory {
        Memory(values: memory.values + head * keyDim * valueDim, lognorm: memory.lognorm + head * keyDim)
    }

    private func head(_ head: Int, of inputs: Inputs) -> Inputs {
        Inputs(q: inputs.q + head * keyDim, k: inputs.k + head * keyDim, v: inputs.v + head * valueDim)
    }

    private func head(_ head: Int, of gradients: Gradients) -> Gradients {
        Gradients(
            y: gradients.y + head * valueDim, q: gradients.q + head * keyDim, k: gradients.k + head * keyDim,
            v: gradients.v + head * valueDim, memory: self.head(head, of: gradients.memory))
    }

    /// The memory at a piece's entrance, in the stash.
    private func kept(_ piece: Int, _ head: Int, in stash: UnsafeMutablePointer<Float>) -> Memory {
        let values = stash + piece * (memoryCount + lognormCount)
        return self.head(head, of: Memory(values: values, lognorm: values + memoryCount))
    }

    private func copy(_ memory: Memory, to kept: Memory) {
        kept.values.update(from: memory.values, count: keyDim * valueDim)
        kept.lognorm.update(from: memory.lognorm, count: keyDim)
    }

    private func clear(_ memory: Memory) {
        memory.values.update(repeating: 0, count: keyDim * valueDim)
        memory.lognorm.update(repeating: -.infinity, count: keyDim)
    }

    private var scratchCount: Int {
        var carver = Carver(counting: ())
        _ = Scratch(&carver, self, worker: 0)
        return carver.used
    }

    /// What a worker needs for one head and piece, C = chunk.
    private struct Scratch {
        let worker: Int
        /// A = softmax(aq) and the gradient of whatever softmax is at work [C, dz].
        let a, da: UnsafeMutablePointer<Float>
        /// R and W [C, dz].
        let r, w: UnsafeMutablePointer<Float>
        /// X = v - R M and its gradient [C, dv].
        let x, dx: UnsafeMutablePointer<Float>
        /// U, then its gradient [dz, dv].
        let u: UnsafeMutablePointer<Float>
        /// s or its gradient, rho, and e (`absorptionBackward`) [dz].
        let s, rho, e: UnsafeMutablePointer<Float>
        /// Of one head.
        let empty: Memory

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
            let emptyValues = carver.take(shape.keyDim * shape.valueDim)
            empty = Memory(values: emptyValues, lognorm: carver.take(shape.keyDim))
        }
    }

    private func scratch(_ base: UnsafeMutablePointer<Float>, worker: Int) -> Scratch {
        var carver = Carver(base + worker * scratchCount)
        return Scratch(&carver, self, worker: worker)
    }

    /// R, W, s, rho, X and U of a head's absorption into M, l; `newLognorm` receives l'.
    private func absorption(
        _ context: SliceContext, _ p: SlicePlan.Piece, _ inputs: Inputs, into memory: Memory,
        newLognorm: UnsafeMutablePointer<Float>?, _ f: Scratch
    ) {
        let Z = heads * keyDim
        let E = heads * valueDim
        let rows = p.absorbed.count
        let first = p.absorbed.lowerBound - context.plan.windowStart
        let keys = inputs.k + first * Z
        let extent = Extent(rows: rows, columns: keyDim)
        context.kernels.sequences.softmax.softmaxRows(
            MutableFloatRows(f.r, stride: keyDim), FloatRows(keys, stride: Z), extent)
        context.kernels.sequences.softmax.softmaxColumns(
            MutableFloatRows(f.w, stride: keyDim), f.s, FloatRows(keys, stride: Z), extent)
        for t in 0..<rows {
            (f.x + t * valueDim).update(from: inputs.v + (first + t) * E, count: valueDim)
        }
        context.matrices.multiply(
            Product(
                rows: rows, columns: valueDim, depth: keyDim, Factor(f.r, stride: keyDim),
                Factor(memory.values, stride: valueDim), to: Destination(f.x, stride: valueDim, adds: true), scale: -1),
            on: f.worker)
        context.matrices.multiply(
            Product(
                rows: keyDim, columns: valueDim, depth: rows, Factor(f.w, stride: keyDim, transposed: true),
                Factor(f.x, stride: valueDim), to: Destination(f.u, stride: valueDim)),
            on: f.worker)
        for i in 0..<keyDim {
            let s = f.s[i]
            let l = memory.lognorm[i]
            let m = max(s, l)
            let sum = m + log1pf(expf(min(s, l) - m))
            f.rho[i] = expf(s - sum)
            newLognorm?[i] = sum
        }
    }

    /// y [T, E] of the inputs. `memory` is the state, in and out; `stash` receives it at every piece's entrance.
    package func forward(
        _ context: SliceContext, _ inputs: Inputs, y: UnsafeMutablePointer<Float>, memory: Memory,
        stash: UnsafeMutablePointer<Float>, scratch base: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        context.team.share(heads, as: .memory) { worker, heads in
            let f = scratch(base, worker: worker)
            for head in heads {
                let m = self.head(head, of: memory)
                let own = self.head(head, of: inputs)
                for (i, p) in plan.pieces.enumerated() {
                    copy(m, to: kept(i, head, in: stash))
                    read(context, p, q: own.q, y: y + head * valueDim, memory: m.values, f)
                    if p.absorbed.isEmpty { continue }
                    if p.wipes { clear(m) }
                    absorption(context, p, own, into: m, newLognorm: m.lognorm, f)
                    context.kernels.sequences.memory.blendRows(
                        BlendRowsArguments(
                            out: m.values, memory: m.values, update: f.u, rho: f.rho, extent: memoryExtent))
                }
            }
        }
    }

    /// A head's softmax(aq) M for the tokens of a piece that may read, zeros for the others.
    private func read(
        _ context: SliceContext, _ p: SlicePlan.Piece, q: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        memory: UnsafePointer<Float>, _ f: Scratch
    ) {
        let start = context.plan.start
        let Z = heads * keyDim
        let E = heads * valueDim
        for t in p.start..<p.end where !p.readers.contains(t) {
            (y + (t - start) * E).update(repeating: 0, count: valueDim)
        }
        if p.readers.isEmpty { return }
        let row = p.readers.lowerBound - start
        context.kernels.sequences.softmax.softmaxRows(
            MutableFloatRows(f.a, stride: keyDim), FloatRows(q + row * Z, stride: Z),
            Extent(rows: p.readers.count, columns: keyDim))
        context.matrices.multiply(
            Product(
                rows: p.readers.count, columns: valueDim, depth: keyDim, Factor(f.a, stride: keyDim),
                Factor(memory, stride: valueDim), to: Destination(y + row * E, stride: E)),
            on: f.worker)
    }

    /// The forward's y [T, E] again, to the same bits, from the memories in `stash`.
    package func recall(
        _ context: SliceContext, q: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        stash: UnsafeMutablePointer<Float>, scratch base: UnsafeMutablePointer<Float>
    ) {
        context.team.share(heads, as: .memory) { worker, heads in
            let f = scratch(base, worker: worker)
            for head in heads {
                for (i, p) in context.plan.pieces.enumerated() {
                    read(
                        context, p, q: q + head * keyDim, y: y + head * valueDim,
                        memory: kept(i, head, in: stash).values, f)
                }
            }
        }
    }

    /// Reverse over the pieces, undoing each absorption before its reads.
    package func backward(
        _ context: SliceContext, _ inputs: Inputs, _ gradients: Gradients, stash: UnsafeMutablePointer<Float>,
        scratch base: UnsafeMutablePointer<Float>
    ) {
        let plan = context.plan
        context.team.share(heads, as: .memory) { worker, heads in
            let f = scratch(base, worker: worker)
            for head in heads {
                let own = self.head(head, of: inputs)
                let d = self.head(head, of: gradients)
                for (i, p) in plan.pieces.enumerated().reversed() {
                    let m = kept(i, head, in: stash)
                    if !p.absorbed.isEmpty {
                        if p.wipes { clear(f.empty) }
                        absorptionBackward(context, p, own, d, into: p.wipes ? f.empty : m, f)
                        if p.wipes {
                            d.memory.values.update(repeating: 0, count: keyDim * valueDim)
                            d.memory.lognorm.update(repeating: 0, count: keyDim)
                        }
                    }
                    readBackward(context, p, q: own.q, d, memory: m.values, f)
                }
            }
        }
    }

    /// lam = dl' - e with e = rho sum dM' (U - M); ds = e + rho lam; dl = (1 - rho) lam; dU = rho dM'; dX = W^T dU; dW
    /// = dU X^T; dR = -dX M^T; dM = (1 - rho) dM' - R^T dX; dv += dX; dk += softmax_bwd(R, dR) + [softmax_bwd(W, dW) +
    /// W ds]^T. One head.
    private func absorptionBackward(
        _ context: SliceContext, _ p: SlicePlan.Piece, _ inputs: Inputs, _ d: Gradients, into memory: Memory,
        _ f: Scratch
    ) {
        let Z = heads * keyDim
        let E = heads * valueDim
        let rows = p.absorbed.count
        let first = p.absorbed.lowerBound - context.plan.windowStart
        let (dm, dl) = (d.memory.values, d.memory.lognorm)
        absorption(context, p, inputs, into: memory, newLognorm: nil, f)
        context.kernels.sequences.memory.blendRowsBackward(
            BlendRowsBackwardArguments(
                dlogRho: f.e, dupdate: f.u, dmemory: dm, memory: memory.values, update: f.u, rho: f.rho,
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
        let dkeys = d.k + first * Z
        // dW^T = X dU^T, then dR = -dX M^T in the same scratch.
        context.matrices.multiply(
            Product(
                rows: rows, columns: keyDim, depth: valueDim, Factor(f.x, stride: valueDim),
                Factor(f.u, stride: valueDim, transposed: true), to: Destination(f.da, stride: keyDim)),
            on: f.worker)
        let extent = Extent(rows: rows, columns: keyDim)
        context.kernels.sequences.softmax.softmaxColumnsBackward(
            SoftmaxColumnsBackwardArguments(
                dx: MutableFloatRows(dkeys, stride: Z), dy: FloatRows(f.da, stride: keyDim),
                y: FloatRows(f.w, stride: keyDim), dlogSum: f.s, extent: extent))
        context.matrices.multiply(
            Product(
                rows: rows, columns: keyDim, depth: valueDim, Factor(f.dx, stride: valueDim),
                Factor(memory.values, stride: valueDim, transposed: true), to: Destination(f.da, stride: keyDim),
                scale: -1),
            on: f.worker)
        context.kernels.sequences.softmax.softmaxRowsBackward(
            SoftmaxRowsBackwardArguments(
                dx: MutableFloatRows(dkeys, stride: Z), dy: FloatRows(f.da, stride: keyDim),
                y: FloatRows(f.r, stride: keyDim), extent: extent, adds: true))
        context.matrices.multiply(
            Product(
                rows: keyDim, columns: valueDim, depth: rows, Factor(f.r, stride: keyDim, transposed: true),
                Factor(f.dx, stride: valueDim), to: Destination(dm, stride: valueDim, adds: true), scale: -1),
            on: f.worker)
        for t in 0..<rows {
            context.kernels.tokens.elementwise.addTo(d.v + (first + t) * E, f.dx + t * valueDim, valueDim)
        }
    }

    /// A = softmax(aq): daq = softmax_bwd(A, do M^T); dM += A^T do. Tokens that may not read pass nothing. One head.
    private func readBackward(
        _ context: SliceContext, _ p: SlicePlan.Piece, q: UnsafePointer<Float>, _ d: Gradients,
        memory: UnsafePointer<Float>, _ f: Scratch
    ) {
        let start = context.plan.start
        let Z = heads * keyDim
        let E = heads * valueDim
        for t in p.start..<p.end where !p.readers.contains(t) {
            (d.q + (t - start) * Z).update(repeating: 0, count: keyDim)
        }
        let rows = p.readers.count
        if rows == 0 { return }
        let row = p.readers.lowerBound - start
        let out = d.y + row * E
        let extent = Extent(rows: rows, columns: keyDim)
        context.kernels.sequences.softmax.softmaxRows(
            MutableFloatRows(f.a, stride: keyDim), FloatRows(q + row * Z, stride: Z), extent)
        context.matrices.multiply(
            Product(
                rows: rows, columns: keyDim, depth: valueDim, Factor(out, stride: E),
                Factor(memory, stride: valueDim, transposed: true), to: Destination(f.da, stride: keyDim)),
            on: f.worker)
        context.kernels.sequences.softmax.softmaxRowsBackward(
            SoftmaxRowsBackwardArguments(
                dx: MutableFloatRows(d.q + row * Z, stride: Z), dy: FloatRows(f.da, stride: keyDim),
                y: FloatRows(f.a, stride: keyDim), extent: extent, adds: false))
        context.matrices.multiply(
            Product(
                rows: keyDim, columns: valueDim, depth: rows, Factor(f.a, stride: keyDim, transposed: true),
                Factor(out, stride: E), to: Destination(d.memory.values, stride: valueDim, adds: true)),
            on: f.worker)
    }
}
