import Hardware
import Numerics

extension LlamaConfiguration: Architecture {
    package static let name = "llama"

    package static var workKinds: [WorkKind] {
        [
            WorkKind(.gemm, "GEMM", isProducts: true), WorkKind(.attention, "attention", isProducts: true),
            WorkKind(.norms, "norms"), WorkKind(.elementwise, "elementwise"), WorkKind(.optimizer, "optimizer"),
            WorkKind(.communication, "communication"),
        ]
    }

    package mutating func resolve(for text: TextNeeds) {
        if keyHeads == 0 { keyHeads = heads }
        if ffnDim == 0 { ffnDim = (8 * dim / 3 + 255) / 256 * 256 }
        if vocabulary == 0 { vocabulary = text.vocabulary }
        bosID = text.documentMark.map { Int($0) }
    }

    package var cursor: CursorForm { LlamaCursor.form }

    package var summary: String { "\(layers) layers, dim \(dim), \(heads) heads" }
    package var sizes: String { "\(layers) layers, D \(dim), H \(heads), K \(keyHeads), F \(ffnDim)" }

    package func describe(_ part: ModelPart) -> BlockDescription {
        switch part {
        case .embedding: embedding.description
        case .layer(let number):
            LlamaLayer.description(
                self, layer: number,
                flops: .init(
                    perToken: mapFlopsPerToken + attentionFlops(keys: 1), perTokenBefore: attentionFlops(keys: 1))
            ) {
                layerWork($0, operand: $1)
            }
        case .output: output.description
        }
    }

    package func makeBlocks(_ parts: [ModelPart]) -> [any Block] {
        parts.map { part in
            switch part {
            case .embedding: Embedding(embedding)
            case .layer(let number): LlamaLayer(self, layer: number)
            case .output: OutputHead(output)
            }
        }
    }

    package func makeSlice() -> any SharedSlice { LlamaSlice(self) }

    /// Widths with the parameters of a Gecko of the size, embeddings left out, within .1 %.
    package static func benchmark(_ size: BenchmarkSize) -> LlamaConfiguration? {
        var c = LlamaConfiguration()
        switch size {
        case .XS: (c.dim, c.ffnDim, c.layers, c.heads) = (192, 632, 4, 4)
        case .S: (c.dim, c.ffnDim, c.layers, c.heads) = (512, 1648, 6, 8)
        case .L: (c.dim, c.ffnDim, c.layers, c.heads) = (1024, 3184, 8, 16)
        }
        c.vocabulary = 256
        return c
    }
}
