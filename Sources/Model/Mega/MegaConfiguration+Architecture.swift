import Hardware
import Numerics

extension MegaConfiguration: Architecture {
    package static let name = "mega"
    package static let sliceKey: String? = "chunk"

    package static var workKinds: [WorkKind] {
        [
            WorkKind(.gemm, "GEMM", isProducts: true), WorkKind(.attention, "attention", isProducts: true),
            WorkKind(.ema, "EMA"), WorkKind(.norms, "norms"), WorkKind(.elementwise, "elementwise"),
            WorkKind(.optimizer, "optimizer"), WorkKind(.communication, "communication"),
        ]
    }

    package mutating func resolve(for text: TextNeeds) {
        if vocabulary == 0 { vocabulary = text.vocabulary }
        if maxPositions == 0 { maxPositions = chunk }
        bosID = text.documentMark.map { Int($0) }
    }

    package var longestSequence: (key: String, tokens: Int)? {
        seesAll && positionBias == .simple && maxPositions > 0 ? ("max_positions", maxPositions) : nil
    }
    package var sliceMultiple: Int { max(1, chunk) }
    package var embeddingScale: Double { scaleEmbeddings ? Double(dim).squareRoot() : 1 }
    package var cursor: CursorForm { MegaCursor.form }

    package var summary: String { "\(layers) layers, dim \(dim), \(seesAll ? "full attention" : "chunk \(chunk)")" }
    package var sizes: String {
        "\(layers) layers, D \(dim), Z \(zDim), E \(valueDim), F \(ffnDim), N \(emaDim), chunk \(chunk), "
            + "\(attention.rawValue), \(positionBias.rawValue) bias"
    }

    package func describe(_ part: ModelPart) -> BlockDescription {
        switch part {
        case .embedding: embedding.description
        case .layer(let number):
            MegaLayer.description(self, layer: number, flops: layerFlops) { layerWork($0, operand: $1) }
        case .output: output.description
        }
    }

    package func makeBlocks(_ parts: [ModelPart]) -> [any Block] {
        parts.map { part in
            switch part {
            case .embedding: Embedding(embedding)
            case .layer(let number): MegaLayer(self, layer: number)
            case .output: OutputHead(output)
            }
        }
    }

    package func makeSlice() -> any SharedSlice { MegaSlice(self) }

    /// Widths with the parameters of a Gecko of the size, embeddings left out,
    /// within .1 %.
    package static func benchmark(_ size: BenchmarkSize) -> MegaConfiguration? {
        var c = MegaConfiguration()
        switch size {
        case .XS: (c.dim, c.zDim, c.valueDim, c.ffnDim, c.layers, c.chunk) = (192, 96, 384, 480, 4, 128)
        case .S: (c.dim, c.zDim, c.valueDim, c.ffnDim, c.layers, c.chunk) = (512, 256, 1024, 1280, 6, 512)
        case .L: (c.dim, c.zDim, c.valueDim, c.ffnDim, c.layers, c.chunk) = (1024, 256, 2048, 2560, 8, 512)
        }
        (c.emaDim, c.vocabulary) = (16, 256)
        return c
    }
}
