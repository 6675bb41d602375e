import KernelInterface
import Kernels
import Numerics

/// A golden case of attention over a window of keys: q, k and v of a slice, and the keys and values that are held from
/// before.
struct GoldenAttention {
    let file: any GoldenSource
    let matrices: any MatrixProducts
    let name: String
    let rows, length, heads, keyHeads, keyDim, valueDim, position: Int
    /// Keys held from before the slice.
    let held: Int

    /// - Parameter begin: where the window of a slice at this position begins
    init(_ name: String, of file: any GoldenSource, matrices: any MatrixProducts, begin: (_ position: Int) -> Int)
        throws
    {
        self.file = file
        self.matrices = matrices
        self.name = name
        let q = try Self.shape(of: "\(name).in.q", file)
        let v = try Self.shape(of: "\(name).in.v", file)
        (rows, length, heads, keyDim) = (q[0], q[1], q[2], q[3])
        (keyHeads, valueDim) = (v[2], v[3])
        position = try file.object(name).int("position")
        guard position >= 0 else { throw VerificationError("\(file.name): '\(name)' has position \(position)") }
        try file.requireDivides(keyHeads, heads, "heads of keys of \(name)")
        held = position - begin(position)
    }

    /// [B, L, H, d]; a file without an axis for heads has one head.
    private static func shape(of tensor: String, _ file: any GoldenSource) throws -> [Int] {
        let shape = try file.shape(tensor)
        if shape.count == 3 { return [shape[0], shape[1], 1, shape[2]] }
        return try file.shape(tensor, axes: 4)
    }

    /// The window's rows before the slice's own.
    private func joined(_ tensor: String, width: Int, row b: Int) throws -> FloatBuffer {
        let window =
            held == 0
            ? []
            : try file.floats("\(name).in.window_\(tensor)", count: rows * held * width).row(b, of: rows)
        let own = try file.floats("\(name).in.\(tensor)", count: rows * length * width).row(b, of: rows)
        return FloatBuffer(window + own)
    }

    /// Row `b` of the case's integers; nil where documents aren't told apart.
    func numbers(_ tensor: String, _ count: Int, row b: Int) throws -> [Int32]? {
        guard file.has("\(name).in.bos") else { return nil }
        return try file.ints("\(name).in.\(tensor)", count: rows * count).row(b, of: rows)
    }

    /// Tokens of row `b` among which the mark begins a document.
    func tokens(row b: Int, mark: Int32) throws -> [Int32] {
        let bos = try file.bos(name, row: b, of: rows, length: length)
        return (0..<length).map { bos?[$0] == true ? mark : mark + 1 }
    }

    /// - Parameters:
    ///   - scale: of the scores, which attention finds in the queries
    ///   - slice: row `b`'s, with its window
    func run(
        _ attention: WindowAttention, scale: Float, _ report: inout CaseReport,
        slice: (_ row: Int) throws -> (slice: any SharedSlice, window: AttentionWindow)
    ) throws {
        let scales = [Float](repeating: scale, count: length)
        try run(attention, bias: FloatBuffer(0), &report) {
            let (slice, window) = try slice($0)
            return (slice, window, scales)
        }
    }

    /// - Parameters:
    ///   - bias: from the farthest distance to 0; empty: there is none
    ///   - slice: row `b`'s, with its window and the scale of each token's scores
    func run(
        _ attention: WindowAttention, bias: FloatBuffer, _ report: inout CaseReport,
        slice: (_ row: Int) throws -> (slice: any SharedSlice, window: AttentionWindow, scales: [Float])
    ) throws {
        func scaled(_ q: [Float], _ scales: [Float]) -> [Float] {
            q.indices.map { q[$0] * scales[$0 / (heads * keyDim)] }
        }
        let hasBias = bias.count > 0
        let biasGradient = FloatBuffer(bias.count)
        let scratch = FloatBuffer(attention.workspace(workers: matrices.team.count))
        let (Z, E) = (keyHeads * keyDim, keyHeads * valueDim)
        var all = GoldenTensors()
        for b in 0..<rows {
            let (shared, window, scales) = try slice(b)
            let q = FloatBuffer(
                scaled(
                    try file.floats("\(name).in.q", count: rows * length * heads * keyDim).row(b, of: rows), scales))
            let (k, v) = (try joined("k", width: Z, row: b), try joined("v", width: E, row: b))
            let y = FloatBuffer(length * heads * valueDim)
            let (top, total) = (FloatBuffer(length * heads), FloatBuffer(length * heads))
            let operands = WindowAttention.Operands(
                q: q.base, k: FloatRows(k.base, stride: Z), v: FloatRows(v.base, stride: E), y: y.base, top: top.base,
                total: total.base, bias: hasBias ? UnsafePointer(bias.base + bias.count - 1) : nil)
            let context = SliceContext(matrices: matrices, slice: shared, workspace: scratch.base)
            attention.forward(context, window, operands, scratch: scratch.base)
            all.append("out.y", y.values())
            let dy = FloatBuffer(try file.floats("\(name).up.y", count: rows * y.count).row(b, of: rows))
            let (dq, dk, dv) = (FloatBuffer(q.count), FloatBuffer(k.count), FloatBuffer(v.count))
            attention.backward(
                context, window, operands,
                .init(
                    y: dy.base, q: dq.base, k: MutableFloatRows(dk.base, stride: Z),
                    v: MutableFloatRows(dv.base, stride: E),
                    bias: hasBias ? biasGradient.base + bias.count - 1 : nil), scratch: scratch.base)
            withExtendedLifetime((q, k, v, top, total)) {}
            all.append("grad.q", scaled(dq.values(), scales))
            for (tensor, gradient, width) in [("k", dk.values(), Z), ("v", dv.values(), E)] {
                all.append("grad.window_\(tensor)", Array(gradient[..<(held * width)]))
                all.append("grad.\(tensor)", Array(gradient[(held * width)...]))
            }
        }
        if hasBias { all.append("grad.bias", biasGradient.values().reversed()) }
        withExtendedLifetime(bias) {}
        try all.compare(name, of: file, &report)
    }
}
