import Glibc
import Model
import Numerics

/// y = E[token].
final class LeakyEmbedding: Block {
    let name = "embed"
    static let weight = "embed.weight"
    private let D: Int
    private var values, gradient: UnsafeMutablePointer<Float>!

    init(_ model: LeakyModel) { D = model.dim }

    static func description(_ model: LeakyModel) -> BlockDescription {
        BlockDescription(
            name: "embed",
            parameters: [ParameterSpec(weight, [model.vocabulary, model.dim], .normal(1), decays: true)],
            flops: .init(perToken: 0)
        ) { _ in
            BlockSizes()
        } work: { _, _ in
            WorkCounts()
        }
    }

    func bind(_ store: ParameterStore) { (values, gradient) = (store.value(Self.weight), store.gradient(Self.weight)) }
    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
    func beginStep(_ shape: SliceShape) {}

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        for t in 0..<context.length {
            (y + t * D).update(from: values + Int(context.tokens![t]) * D, count: D)
        }
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        for t in (0..<context.length).reversed() {
            for d in 0..<D { gradient[Int(context.tokens![t]) * D + d] += dy[t * D + d] }
        }
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {}

    func endStep() {}
}

/// Logits U x and their cross entropy.
final class LeakyOutput: OutputBlock {
    let name = "output"
    private(set) var tokenLosses: [Double] = []
    var lossSum: Double { tokenLosses.reduce(0, +) }
    private let D, V: Int
    private let weight: String
    private var values, gradient: UnsafeMutablePointer<Float>!

    private static func weight(_ model: LeakyModel) -> String { model.ties ? "output.tied" : "output.weight" }

    init(_ model: LeakyModel) {
        (D, V) = (model.dim, model.vocabulary)
        weight = Self.weight(model)
    }

    static func description(_ model: LeakyModel) -> BlockDescription {
        let (D, V) = (model.dim, model.vocabulary)
        return BlockDescription(
            name: "output",
            parameters: [
                ParameterSpec(
                    weight(model), [V, D], .normal(1), decays: true,
                    copyOf: model.ties ? LeakyEmbedding.weight : nil)
            ], flops: .init(perToken: 2 * Double(D * V))
        ) {
            BlockSizes(stash: $0.length * V)
        } work: { _, operand in
            var work = WorkCounts()
            work[.gemm] += WorkCount(flops: 6 * Double(D * V), bytes: 3 * operand * Double(D + V))
            return work
        }
    }

    func bind(_ store: ParameterStore) { (values, gradient) = (store.value(weight), store.gradient(weight)) }
    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
    func beginStep(_ shape: SliceShape) {}
    func logits(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { stash }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        tokenLosses = [Double](repeating: 0, count: context.length)
        for t in 0..<context.length {
            let logits = stash + t * V
            for v in 0..<V {
                var sum: Float = 0
                for d in 0..<D { sum += values[v * D + d] * x[t * D + d] }
                logits[v] = sum
            }
            if let targets = context.targets { tokenLosses[t] = lose(logits, Int(targets[t]), context.lossScale) }
        }
    }

    /// A token's loss; with a scale its logits become their gradient.
    private func lose(_ logits: UnsafeMutablePointer<Float>, _ target: Int, _ scale: Float) -> Double {
        guard target >= 0 else {
            if scale != 0 { logits.update(repeating: 0, count: V) }
            return 0
        }
        let top = (0..<V).map { logits[$0] }.max() ?? 0
        let total = (0..<V).reduce(0.0) { $0 + exp(Double(logits[$1] - top)) }
        let loss = log(total) - Double(logits[target] - top)
        guard scale != 0 else { return loss }
        for v in 0..<V {
            logits[v] = scale * (Float(exp(Double(logits[v] - top)) / total) - (v == target ? 1 : 0))
        }
        return loss
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        for t in 0..<context.length {
            for d in 0..<D {
                var sum: Float = 0
                for v in 0..<V { sum += values[v * D + d] * slice.stash[t * V + v] }
                dx[t * D + d] = sum
            }
        }
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        for t in (0..<context.length).reversed() {
            for v in 0..<V {
                for d in 0..<D { gradient[v * D + d] += slice.stash[t * V + v] * slice.x[t * D + d] }
            }
        }
    }

    func endStep() {}
}
