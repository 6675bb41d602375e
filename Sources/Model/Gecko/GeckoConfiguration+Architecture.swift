import Hardware
import Numerics

extension GeckoConfiguration: Architecture {
    package static let name = "gecko"
    package static let sliceKey: String? = "chunk"

    package mutating func resolve(for text: TextNeeds) {
        if normGroups == 0 { normGroups = (1...32).last { dim % $0 == 0 && dim / $0 >= 2 } ?? 1 }
        if vocabulary == 0 { vocabulary = text.vocabulary }
        if ropeHeads < 0 { ropeHeads = heads }
        bosID = text.documentMark.map { Int($0) }
    }

    package var sliceMultiple: Int { chunk }
    package var embeddingScale: Double { scaleEmbeddings ? Double(dim).squareRoot() : 1 }
    package var drops: Bool { dropout > 0 || hiddenDropout > 0 || attentionDropout > 0 }
    package var cursor: CursorForm { GeckoCursor.form }

    package var summary: String { "\(layers) layers, dim \(dim), chunk \(chunk)" }
    package var sizes: String {
        "\(layers) layers, D \(dim), Z \(zDim), E \(valueDim), F \(ffnDim), "
            + "H \(heads), N \(emaDim), G \(normGroups), chunk \(chunk)"
    }

    package func describe(_ part: ModelPart) -> BlockDescription {
        switch part {
        case .embedding: embedding.description
        case .layer(let number):
            GeckoLayer.description(
                self, layer: number, flops: .init(perToken: layerFlopsPerToken)
            ) {
                layerWork(slice: $0.slice, operand: $1)
            }
        case .output: OutputLayer.description(self)
        }
    }

    package func makeBlocks(_ parts: [ModelPart]) -> [any Block] {
        parts.map { part in
            switch part {
            case .embedding: Embedding(embedding)
            case .layer(let number): GeckoLayer(self, layer: number)
            case .output: OutputLayer(self)
            }
        }
    }

    package func makeSlice() -> any SharedSlice { GeckoSlice(SlicePlan(self), mark: bosID.map { Int32($0) }) }

    package static func benchmark(_ size: BenchmarkSize) -> GeckoConfiguration? {
        var c = GeckoConfiguration()
        switch size {
        case .XS:
            (c.dim, c.zDim, c.valueDim, c.ffnDim, c.layers, c.chunk) = (192, 96, 384, 384, 4, 128)
        case .S:
            (c.dim, c.zDim, c.valueDim, c.ffnDim, c.layers, c.chunk) = (512, 256, 1024, 1024, 6, 512)
        case .L:
            (c.dim, c.zDim, c.valueDim, c.ffnDim, c.layers, c.chunk) = (1024, 256, 2048, 2048, 8, 512)
        }
        (c.heads, c.emaDim, c.normGroups, c.vocabulary) = (4, 16, 32, 256)
        return c
    }
}
