import Model

/// A Megalodon small enough to run in every combination of options, and one row of tokens for it.
struct SmallMegalodon: RunnableModel {
    var configuration = MegalodonConfiguration()
    let length: Int

    init(length: Int = 29, _ change: (inout MegalodonConfiguration) -> Void = { _ in }) {
        self.length = length
        configuration.layers = 2
        configuration.dim = 12
        configuration.zDim = 8
        configuration.valueDim = 10
        configuration.ffnDim = 9
        configuration.heads = 2
        configuration.emaDim = 3
        configuration.chunk = 4
        configuration.normGroups = 3
        configuration.vocabulary = 11
        configuration.ropeBase = 100
        change(&configuration)
    }

    /// Every combination of options.
    static func combinations(packed: Bool) -> [SmallMegalodon] {
        (0..<32).map { bits in
            SmallMegalodon { c in
                c.swiglu = bits & 1 != 0
                c.normAffine = bits & 2 != 0
                c.rescaleNFFN = bits & 4 != 0
                c.scaleEmbeddings = bits & 8 != 0
                c.tieEmbeddings = bits & 16 != 0
                c.bosID = packed ? 0 : nil
            }
        }
    }
}
