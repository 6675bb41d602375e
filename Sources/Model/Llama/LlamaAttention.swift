import Hardware
import KernelInterface
import Numerics

/// Causal self-attention with rotary positions, the first half of a layer (docs/LLAMA.md):
///
///     n = RMS(x)   q = rot(Wq n)   k = rot(Wk n)   v = Wv n   y = x + Wo softmax(q . k / sqrt(d)) v
///
/// over all tokens of the document so far. Keys (rotated) and values of the whole sequence are rows that are written
/// once, behind those of the slices before; their gradients have the same shape and are added to by every later slice.
final class LlamaAttention: TokenMixer {
    private let c: LlamaConfiguration
    private let prefix: String
    private var tensors: BoundTensors?
    private let norm: FeatureNorm
    private let wqkv: LinearMap
    private let wo: LinearMap
    private let attention: WindowAttention

    init(_ c: LlamaConfiguration, layer: Int) {
        self.c = c
        prefix = Self.prefix(layer)
        norm = FeatureNorm(Self.norm(c, layer: layer))
        let shapes = Self.mapShapes(c)
        wqkv = LinearMap(shapes.wqkv)
        wo = LinearMap(shapes.wo)
        attention = c.attention
    }

    private static func prefix(_ layer: Int) -> String { "layers.\(layer).attention." }

    private static func norm(_ c: LlamaConfiguration, layer: Int) -> FeatureNorm.Form {
        c.norm("layers.\(layer).attention_norm")
    }

    /// Columns of q, k and v side by side.
    private static func wide(_ c: LlamaConfiguration) -> Int { c.dim + 2 * c.keyRow }

    static func mapShapes(_ c: LlamaConfiguration) -> (wqkv: LinearMap.Shape, wo: LinearMap.Shape) {
        (
            LinearMap.Shape(outputs: wide(c), inputs: c.dim), LinearMap.Shape(outputs: c.dim, inputs: c.dim)
        )
    }

    static func parameters(_ c: LlamaConfiguration, layer: Int) -> [ParameterSpec] {
        let prefix = prefix(layer)
        let (D, K) = (c.dim, c.keyRow)
        let map = Initializer.truncatedNormal(1 / Double(D).squareRoot())
        return norm(c, layer: layer).parameters + [
            ParameterSpec(prefix + "wq.weight", [D, D], map, decays: true),
            ParameterSpec(prefix + "wk.weight", [K, D], map, decays: true, joinsPrevious: true),
            ParameterSpec(prefix + "wv.weight", [K, D], map, decays: true, joinsPrevious: true),
            ParameterSpec(prefix + "wo.weight", [D, D], map, decays: true),
        ]
    }

    func bind(_ store: ParameterStore) {
        tensors = BoundTensors(store, prefix: prefix)
        norm.bind(store)
    }

    func beginStep() { for map in [wqkv, wo] { map.beginStep() } }
    func endStep() {}

    private func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    private func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }

    struct Stash {
        let norm: FeatureNorm.Stash
        /// Rotated, with the scale 1/sqrt(d) in it [T, D].
        let q: UnsafeMutablePointer<Float>
        /// Attention's output [T, D], and each row's largest score and sum of exponentials [H, T].
        let attended, top, total: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: LlamaConfiguration, length T: Int) {
            norm = .init(&carver, .rms, length: T)
            q = carver.take(T * c.dim)
            attended = carver.take(T * c.dim)
            top = carver.take(T * c.heads)
            total = carver.take(T * c.heads)
        }
    }

    /// Upstream gradients of the linear maps.
    struct GradientStash {
        /// Of y [T, D].
        let dy: UnsafeMutablePointer<Float>
        /// Of Wq n, Wk n, Wv n, side by side [T, D + 2 K d].
        let dqkv: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: LlamaConfiguration, length T: Int) {
            dy = carver.take(T * c.dim)
            dqkv = carver.take(T * wide(c))
        }
    }

    struct Workspace {
        /// [T, D].
        let n, dn, dattended, dq: UnsafeMutablePointer<Float>
        /// q, k and v as the map gives them [T, D + 2 K d].
        let qkv: UnsafeMutablePointer<Float>
        /// What attention asks for, for all workers.
        let workers: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: LlamaConfiguration, length T: Int, workers count: Int) {
            n = carver.take(T * c.dim)
            dn = carver.take(T * c.dim)
            dattended = carver.take(T * c.dim)
            dq = carver.take(T * c.dim)
            qkv = carver.take(T * wide(c))
            workers = carver.take(c.attention.workspace(workers: count))
        }
    }

    typealias Memory = MixerMemory<LlamaAttention>

    /// Floats of a token's row: its key beside its value, of all heads.
    static func prefixWidth(_ c: LlamaConfiguration) -> Int { 2 * c.keyRow }

    private func rows(_ context: SliceContext) -> PrefixRows {
        guard let rows = context.prefix, rows.first == context.llama.start - context.llama.window.firstKey else {
            preconditionFailure("\(prefix) needs the rows of the whole sequence, from its first token kept on")
        }
        return rows
    }

    private func operands(_ rows: PrefixRows, _ f: Stash) -> WindowAttention.Operands {
        let stride = Self.prefixWidth(c)
        return .init(
            q: f.q, k: FloatRows(rows.values, stride: stride), v: FloatRows(rows.values + c.keyRow, stride: stride),
            y: f.attended, top: f.top, total: f.total)
    }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, state: MixerState,
        stash f: Stash, workspace w: Workspace
    ) {
        let slice = context.llama
        let rows = rows(context)
        let (T, D, wide) = (context.length, c.dim, Self.wide(c))
        norm.forward(context, x, to: w.n, f.norm)
        wqkv.forward(context, value("wq.weight"), FloatRows(w.n, stride: D), to: Destination(w.qkv, stride: wide))
        slice.queryTable.rotate(
            context, MutableFloatRows(w.qkv, stride: wide), features: c.headDim, heads: c.heads, direction: 1)
        slice.keyTable.rotate(
            context, MutableFloatRows(w.qkv + D, stride: wide), features: c.headDim, heads: c.keyHeads, direction: 1)
        let width = Self.prefixWidth(c)
        context.team.share(T) { _, tokens in
            for t in tokens {
                (f.q + t * D).update(from: w.qkv + t * wide, count: D)
                (rows.values + (rows.first + t) * width).update(from: w.qkv + t * wide + D, count: width)
            }
        }
        attention.forward(context, slice.window, operands(rows, f), scratch: w.workers)
        context.team.alone(as: .elementwise) { y.update(from: x, count: T * D) }
        wo.forward(
            context, value("wo.weight"), FloatRows(f.attended, stride: D), to: Destination(y, stride: D, adds: true))
    }

    func outputGradient(_ memory: Memory) -> UnsafeMutablePointer<Float> { memory.gradientStash.dy }

    func backward(
        _ context: SliceContext, dx: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, stateGradient: MixerState,
        _ memory: Memory
    ) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let slice = context.llama
        let rows = rows(context)
        guard let gradients = rows.gradients else { preconditionFailure("\(prefix) needs rows for gradients") }
        let (T, D, wide, width) = (context.length, c.dim, Self.wide(c), Self.prefixWidth(c))
        wo.backward(context, value("wo.weight"), FloatRows(g.dy, stride: D), to: Destination(w.dattended, stride: D))
        attention.backward(
            context, slice.window, operands(rows, f),
            .init(
                y: w.dattended, q: w.dq, k: MutableFloatRows(gradients, stride: width),
                v: MutableFloatRows(gradients + c.keyRow, stride: width)), scratch: w.workers)
        // Slices go back last first: all later ones have added to these rows.
        context.team.share(T) { _, tokens in
            for t in tokens {
                (g.dqkv + t * wide).update(from: w.dq + t * D, count: D)
                (g.dqkv + t * wide + D).update(from: gradients + (rows.first + t) * width, count: width)
            }
        }
        slice.queryTable.rotate(
            context, MutableFloatRows(g.dqkv, stride: wide), features: c.headDim, heads: c.heads, direction: -1)
        slice.keyTable.rotate(
            context, MutableFloatRows(g.dqkv + D, stride: wide), features: c.headDim, heads: c.keyHeads, direction: -1)
        wqkv.backward(context, value("wq.weight"), FloatRows(g.dqkv, stride: wide), to: Destination(w.dn, stride: D))
        context.team.alone(as: .elementwise) { dx.update(from: g.dy, count: T * D) }
        norm.backward(context, dy: w.dn, dx: dx, adds: true, x: x, f.norm)
    }

    func accumulateWeightGradients(
        _ context: SliceContext, x: UnsafePointer<Float>, _ memory: Memory, followsBackward: Bool
    ) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        wo.accumulateWeightGradient(
            context, gradient("wo.weight"), FloatRows(g.dy, stride: c.dim), FloatRows(f.attended, stride: c.dim))
        norm.forward(context, x, to: w.n, f.norm)
        wqkv.accumulateWeightGradient(
            context, gradient("wq.weight"), FloatRows(g.dqkv, stride: Self.wide(c)), FloatRows(w.n, stride: c.dim))
    }
}
