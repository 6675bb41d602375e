import Model
import Testing

/// A model small enough to run in every combination of options, and one row of tokens for it.
struct SmallModel: RunnableModel, CustomTestStringConvertible {
    var configuration = GeckoConfiguration()
    var seed = 1
    var length = 29

    init(_ change: (inout GeckoConfiguration) -> Void = { _ in }) {
        configuration.layers = 2
        configuration.dim = 12
        configuration.zDim = 8
        configuration.valueDim = 10
        configuration.ffnDim = 9
        configuration.heads = 2
        configuration.ropeHeads = 1
        configuration.emaDim = 3
        configuration.chunk = 4
        configuration.normGroups = 3
        configuration.vocabulary = 11
        configuration.beta1 = 0.9
        configuration.beta2 = 0.95
        configuration.ropeBase = 100
        change(&configuration)
    }

    var testDescription: String {
        let c = configuration
        let flags = [
            (c.swiglu, "swiglu"), (c.normAffine, "affine"), (c.twoHopResidual, "two-hop"), (c.rescaleNFFN, "rescaled"),
            (c.scaleEmbeddings, "scaled"), (c.tieEmbeddings, "tied"), (c.bosID != nil, "packed"),
        ]
        return flags.filter(\.0).map(\.1).joined(separator: ", ") + ", \(c.ropeHeads) rope heads"
    }

    /// Every combination of options, with the given heads rotated.
    static func combinations(ropeHeads: Int, packed: Bool) -> [SmallModel] {
        (0..<64).map { bits in
            SmallModel { c in
                c.swiglu = bits & 1 != 0
                c.normAffine = bits & 2 != 0
                c.twoHopResidual = bits & 4 != 0
                c.rescaleNFFN = bits & 8 != 0
                c.scaleEmbeddings = bits & 16 != 0
                c.tieEmbeddings = bits & 32 != 0
                c.ropeHeads = ropeHeads
                c.bosID = packed ? 0 : nil
            }
        }
    }
}
