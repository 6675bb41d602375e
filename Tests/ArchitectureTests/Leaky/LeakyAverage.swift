import Glibc
import Model
import Numerics

/// s_t = a s_{t-1} + (1 - a) x_t, y_t = x_t + f_t g s_t with a = sigmoid(leak) and f_t = n / (n + 1) for the n-th token
/// of its document, before which s is 0.
final class LeakyAverage: Block {
    let name: String
    private let D: Int
    private var longest = 0
    private var leak, gain, leakGradient, gainGradient: UnsafeMutablePointer<Float>!

    init(_ model: LeakyModel, layer: Int) {
        name = "layers.\(layer)"
        D = model.dim
    }

    static func description(_ model: LeakyModel, layer: Int) -> BlockDescription {
        let (name, D) = ("layers.\(layer)", model.dim)
        return BlockDescription(
            name: name,
            parameters: [
                ParameterSpec("\(name).leak", [D], .constant(Float(log(model.leak / (1 - model.leak))))),
                ParameterSpec("\(name).gain", [D], .normal(1)),
            ], flops: .init(perToken: 0)
        ) {
            // The state before and after each token.
            BlockSizes(state: D, stash: 2 * $0.length * D)
        } carried: { _ in
            [StateTensor("\(name).average", [D], offset: 0)]
        } work: { _, _ in
            var work = WorkCounts()
            work.add(.elementwise, flops: 15 * Double(D), floats: 8 * Double(D))
            return work
        }
    }

    func bind(_ store: ParameterStore) {
        (leak, gain) = (store.value("\(name).leak"), store.value("\(name).gain"))
        (leakGradient, gainGradient) = (store.gradient("\(name).leak"), store.gradient("\(name).gain"))
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        state.update(repeating: 0, count: D)
    }

    func beginStep(_ shape: SliceShape) { longest = shape.length }

    private func factor(_ count: Int) -> Float { Float(count) / Float(count + 1) }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let (before, after) = (stash, stash + longest * D)
        exit.update(from: entry, count: D)
        for t in 0..<context.length {
            let f = factor(context.leaky.counts[t])
            for d in 0..<D {
                let a = 1 / (1 + exp(-leak[d]))
                before[t * D + d] = context.leaky.restarts[t] ? 0 : exit[d]
                exit[d] = a * before[t * D + d] + (1 - a) * x[t * D + d]
                after[t * D + d] = exit[d]
                y[t * D + d] = x[t * D + d] + f * gain[d] * exit[d]
            }
        }
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let (before, after) = (slice.stash, slice.stash + longest * D)
        for t in (0..<context.length).reversed() {
            let f = factor(context.leaky.counts[t])
            for d in 0..<D {
                let a = 1 / (1 + exp(-leak[d]))
                let g = dy[t * D + d]
                let ds = stateGradient[d] + f * gain[d] * g
                gainGradient[d] += f * g * after[t * D + d]
                leakGradient[d] += ds * (before[t * D + d] - slice.x[t * D + d]) * a * (1 - a)
                dx[t * D + d] = g + (1 - a) * ds
                stateGradient[d] = context.leaky.restarts[t] ? 0 : a * ds
            }
        }
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {}

    func endStep() {}
}
