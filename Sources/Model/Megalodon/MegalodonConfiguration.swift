import Numerics

/// Shape and constants of a Megalodon (arXiv 2404.08801), in the letters of MEGALODON.md: what the keys of `[model]`
/// say, with their defaults. What they leave open, `resolve` settles.
package struct MegalodonConfiguration: Sendable, Equatable {
    package var layers = 4
    /// D
    package var dim = 192
    /// Z: queries and keys of all heads.
    package var zDim = 96
    /// E: values of all heads.
    package var valueDim = 384
    /// F
    package var ffnDim = 384
    /// H
    package var heads = 4
    /// N: orders of the complex EMA per channel.
    package var emaDim = 16
    /// C: tokens of an attention chunk.
    package var chunk = 128
    /// G: groups of the timestep norm; 0: the most up to 32 that divide the width into groups of several features.
    package var normGroups = 0
    /// V; 0: as many as the text needs.
    package var vocabulary = 0
    package var eps = 1e-5
    package var ropeBase = 10_000.0
    package var normAffine = true
    package var swiglu = true
    package var rescaleNFFN = false
    package var scaleEmbeddings = false
    package var tieEmbeddings = false
    /// The token that begins a document; nil: documents aren't told apart. No key: the text decides.
    package var bosID: Int?
    /// What matrix products are computed in.
    package var precision = Precision.f32

    package init() {}

    /// dz
    package var keyDim: Int { zDim / heads }
    /// dv
    package var headValueDim: Int { valueDim / heads }
    /// D rounded up to whole vectors: the row length of the EMA's coefficients and state.
    package var paddedDim: Int { (dim + 15) / 16 * 16 }
}
