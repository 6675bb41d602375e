import KernelInterface
import Numerics

/// Token embedding: y[t] = s E[token t], s = sqrt(D) with scaled embeddings; the model's first block.
package final class Embedding: Block {
    private let c: GeckoConfiguration
    private var store: ParameterStore?
    private let dropout: Dropout
    private static let name = "embed"
    package let name: String = Embedding.name
    package static let weightName = "embed.weight"

    package init(_ c: GeckoConfiguration) {
        self.c = c
        dropout = Dropout(rate: c.dropout, layer: DropoutSite.embeddingLayer, site: DropoutSite.embeddingOutput)
    }

    package static func spec(_ c: GeckoConfiguration, name: String = weightName, copyOf: String? = nil) -> ParameterSpec
    {
        ParameterSpec(
            name, [c.vocabulary, c.dim], .truncatedNormal(1 / Double(c.dim).squareRoot()), decays: true, copyOf: copyOf)
    }

    static func description(_ c: GeckoConfiguration) -> BlockDescription {
        BlockDescription(name: name, parameters: [spec(c)], forwardFlopsPerToken: 0) {
            BlockSizes(workspace: $0.length * c.dim)
        } work: { _, _ in
            c.embeddingWork
        }
    }

    package func bind(_ store: ParameterStore) { self.store = store }
    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}
    package func beginStep(_ shape: SliceShape) {}
    package func endStep() {}

    private var scale: Float { c.scaleEmbeddings ? Float(Double(c.dim).squareRoot()) : 1 }

    private func tokens(_ context: SliceContext) -> UnsafePointer<Int32> {
        guard let tokens = context.tokens else { preconditionFailure("the embedding needs the slice's tokens") }
        return tokens
    }

    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let ids = tokens(context)
        let weight = store!.value(Self.weightName)!
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.elementwise.gatherRows(
                GatherRowsArguments(
                    y: y + t * c.dim, table: weight, ids: ids + t, scale: scale,
                    extent: Extent(rows: rows.count, columns: c.dim)))
        }
        dropout.apply(context, y, y, c.dim)
    }

    package func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let ids = tokens(context)
        let gradient = store!.gradient(Self.weightName)!
        dropout.apply(context, dy, context.workspace, c.dim)
        context.team.share(c.dim, grain: 16) { _, columns in
            context.kernels.tokens.elementwise.scatterRows(
                ScatterRowsArguments(
                    table: gradient, rows: context.workspace, ids: ids, scale: scale,
                    extent: Extent(rows: context.length, columns: c.dim), columns: columns))
        }
    }

    package func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {}
}
