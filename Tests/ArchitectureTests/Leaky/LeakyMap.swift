import Glibc
import Model
import Numerics

/// y = x + W tanh x, token by token.
final class LeakyMap: Block {
    let name: String
    private let D: Int
    private var weight, weightGradient: UnsafeMutablePointer<Float>!

    init(_ model: LeakyModel, layer: Int) {
        name = "layers.\(layer)"
        D = model.dim
    }

    static func description(_ model: LeakyModel, layer: Int) -> BlockDescription {
        let (name, D) = ("layers.\(layer)", model.dim)
        return BlockDescription(
            name: name,
            parameters: [ParameterSpec("\(name).map", [D, D], .normal(1 / Double(D).squareRoot()), decays: true)],
            flops: .init(perToken: 2 * Double(D * D))
        ) {
            // tanh x; the output's gradient.
            BlockSizes(stash: $0.length * D, gradientStash: $0.length * D)
        } work: { _, operand in
            var work = WorkCounts()
            work[.gemm] += WorkCount(flops: 6 * Double(D * D), bytes: 6 * operand * Double(D))
            return work
        }
    }

    func bind(_ store: ParameterStore) {
        (weight, weightGradient) = (store.value("\(name).map"), store.gradient("\(name).map"))
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
    func beginStep(_ shape: SliceShape) {}

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        for t in 0..<context.length {
            let h = stash + t * D
            for d in 0..<D { h[d] = tanh(x[t * D + d]) }
            for o in 0..<D {
                var sum: Float = 0
                for d in 0..<D { sum += weight[o * D + d] * h[d] }
                y[t * D + o] = x[t * D + o] + sum
            }
        }
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        slice.gradientStash.update(from: dy, count: context.length * D)
        for t in 0..<context.length {
            let (h, g) = (slice.stash + t * D, slice.gradientStash + t * D)
            for d in 0..<D {
                var sum: Float = 0
                for o in 0..<D { sum += weight[o * D + d] * g[o] }
                dx[t * D + d] = g[d] + (1 - h[d] * h[d]) * sum
            }
        }
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        for t in (0..<context.length).reversed() {
            for o in 0..<D {
                for d in 0..<D { weightGradient[o * D + d] += slice.gradientStash[t * D + o] * slice.stash[t * D + d] }
            }
        }
    }

    func endStep() {}
}
