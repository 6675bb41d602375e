import Model
import Numerics

/// y_t = x_t + g m_t, where m_t is the mean of all tokens of the sequence up to this one: what full attention is to
/// memory and time. The rows are kept for the whole sequence (a prefix), so that nothing of them is copied from slice
/// to slice.
final class LeakyMean: Block {
    let name: String
    private let D: Int
    private var gain, gainGradient: UnsafeMutablePointer<Float>!

    init(_ model: LeakyModel, layer: Int) {
        name = "layers.\(layer)"
        D = model.dim
    }

    static func description(_ model: LeakyModel, layer: Int) -> BlockDescription {
        let (name, D) = ("layers.\(layer)", model.dim)
        return BlockDescription(
            name: name, parameters: [ParameterSpec("\(name).gain", [D], .normal(1))],
            flops: .init(perToken: Double(D), perTokenBefore: Double(D))
        ) { _ in
            BlockSizes(prefix: D, workspace: D)
        } work: { _, _ in
            WorkCounts()
        }
    }

    func bind(_ store: ParameterStore) {
        (gain, gainGradient) = (store.value("\(name).gain"), store.gradient("\(name).gain"))
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
    func beginStep(_ shape: SliceShape) {}

    /// m_t for the token in row `row`, summed from the sequence's first token on.
    private func mean(_ rows: UnsafeMutablePointer<Float>, to row: Int, _ mean: UnsafeMutablePointer<Float>) {
        mean.update(repeating: 0, count: D)
        for s in 0...row {
            for d in 0..<D { mean[d] += rows[s * D + d] }
        }
        for d in 0..<D { mean[d] /= Float(row + 1) }
    }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let prefix = context.prefix!
        (prefix.values + prefix.first * D).update(from: x, count: context.length * D)
        for t in 0..<context.length {
            mean(prefix.values, to: prefix.first + t, context.workspace)
            for d in 0..<D { y[t * D + d] = x[t * D + d] + gain[d] * context.workspace[d] }
        }
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let prefix = context.prefix!
        let gradients = prefix.gradients!
        for t in (0..<context.length).reversed() {
            let row = prefix.first + t
            mean(prefix.values, to: row, context.workspace)
            for d in 0..<D {
                gainGradient[d] += dy[t * D + d] * context.workspace[d]
                let part = gain[d] * dy[t * D + d] / Float(row + 1)
                for s in 0...row { gradients[s * D + d] += part }
            }
        }
        for i in 0..<context.length * D { dx[i] = dy[i] + gradients[prefix.first * D + i] }
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {}

    func endStep() {}
}
