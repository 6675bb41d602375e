import KernelInterface
import Numerics

/// Token embedding: y[t] = s E[token t]; a model's first block.
package final class Embedding: Block {
    package struct Form: Sendable {
        /// The tensor's name.
        let weight: String
        let vocabulary, dim: Int
        let initializer: Initializer
        /// s = sqrt(dim) instead of 1.
        let isScaled: Bool
        /// Probability that a feature is dropped.
        let dropout: Double

        package init(
            weight: String, vocabulary: Int, dim: Int, initializer: Initializer, isScaled: Bool = false,
            dropout: Double = 0
        ) {
            self.weight = weight
            self.vocabulary = vocabulary
            self.dim = dim
            self.initializer = initializer
            self.isScaled = isScaled
            self.dropout = dropout
        }

        /// The matrix [V, D], or one of its kind under another name.
        ///
        /// - Parameter original: whose copy it is
        package func spec(name: String? = nil, copyOf original: String? = nil) -> ParameterSpec {
            ParameterSpec(name ?? weight, [vocabulary, dim], initializer, decays: true, copyOf: original)
        }

        package var description: BlockDescription {
            let dim = dim
            return BlockDescription(name: Embedding.name, parameters: [spec()], flops: .init(perToken: 0)) {
                BlockSizes(workspace: $0.length * dim)
            } work: { _, _ in
                var work = WorkCounts()
                work.add(.elementwise, flops: 2 * Double(dim), floats: 6 * Double(dim))
                return work
            }
        }
    }

    private let form: Form
    private var store: ParameterStore?
    private let dropout: Dropout
    private static let name = "embed"
    package let name: String = Embedding.name

    package init(_ form: Form) {
        self.form = form
        dropout = Dropout(
            rate: form.dropout, layer: DropoutSite.embeddingLayer, site: DropoutSite.embeddingOutput)
    }

    package func bind(_ store: ParameterStore) { self.store = store }
    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
    package func beginStep(_ shape: SliceShape) {}
    package func endStep() {}

    private var scale: Float { form.isScaled ? Float(Double(form.dim).squareRoot()) : 1 }

    private func tokens(_ context: SliceContext) -> UnsafePointer<Int32> {
        guard let tokens = context.tokens else { preconditionFailure("the embedding needs the slice's tokens") }
        return tokens
    }

    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let ids = tokens(context)
        let weight = store!.value(form.weight)!
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.elementwise.gatherRows(
                GatherRowsArguments(
                    y: y + t * form.dim, table: weight, ids: ids + t, scale: scale,
                    extent: Extent(rows: rows.count, columns: form.dim)))
        }
        dropout.apply(context, y, y, form.dim)
    }

    package func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let ids = tokens(context)
        let gradient = store!.gradient(form.weight)!
        dropout.apply(context, dy, context.workspace, form.dim)
        context.team.share(form.dim, grain: 16) { _, columns in
            context.kernels.tokens.elementwise.scatterRows(
                ScatterRowsArguments(
                    table: gradient, rows: context.workspace, ids: ids, scale: scale,
                    extent: Extent(rows: context.length, columns: form.dim), columns: columns))
        }
    }

    package func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {}
}
