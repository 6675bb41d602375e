import Model

/// A Mega small enough to run in every combination of options, and one row of tokens for it.
struct SmallMega: RunnableModel {
    var configuration = MegaConfiguration()
    let length: Int

    init(length: Int = 29, _ change: (inout MegaConfiguration) -> Void = { _ in }) {
        self.length = length
        configuration.layers = 2
        configuration.dim = 12
        configuration.zDim = 8
        configuration.valueDim = 10
        configuration.ffnDim = 9
        configuration.emaDim = 3
        configuration.chunk = 4
        configuration.vocabulary = 11
        change(&configuration)
        if configuration.maxPositions == 0 {
            configuration.maxPositions = configuration.chunk == 0 ? 256 : configuration.chunk
        }
    }

    /// Every combination of options.
    static func combinations(packed: Bool) -> [SmallMega] {
        let forms = MegaConfiguration.Attention.allCases.flatMap { attention in
            MegaConfiguration.PositionBiasKind.allCases.flatMap { bias in [0, 4].map { (attention, bias, $0) } }
        }
        return forms.enumerated().map { i, form in
            SmallMega { c in
                (c.attention, c.positionBias, c.chunk) = form
                c.scaleEmbeddings = i % 2 == 0
                c.tieEmbeddings = i / 2 % 2 == 0
                c.finalNormAffine = i % 3 == 0
                c.bosID = packed ? 0 : nil
            }
        }
    }

    /// A squared ReLU of negative scores only would see nothing.
    func values(_ random: [Float], of parameter: String) -> [Float] {
        random.map { parameter.contains("rel_pos_bias") ? abs($0) : $0 }
    }
}
