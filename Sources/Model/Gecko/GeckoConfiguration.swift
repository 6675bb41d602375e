import Numerics

/// Shape and constants of a Gecko model (arXiv 2601.06463), in the letters of GECKO.md: what the keys of `[model]` say,
/// with their defaults. What they leave open, `resolve` settles.
package struct GeckoConfiguration: Sendable, Equatable {
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
    /// Heads that are rotated: the first ones; -1: all.
    package var ropeHeads = -1
    /// N: orders of the complex EMA per channel.
    package var emaDim = 16
    /// C: tokens of an attention chunk.
    package var chunk = 128
    /// G: groups of the timestep norm; 0: the most up to 32 that divide the width into groups of several features.
    package var normGroups = 0
    /// V; 0: as many as the text needs.
    package var vocabulary = 0
    package var beta1 = 0.999
    package var beta2 = 0.9999
    /// Groups of the RMS and the layer norm.
    package var lnGroups = 1
    package var eps = 1e-5
    package var ropeBase = 500_000.0
    package var normAffine = true
    package var swiglu = true
    package var twoHopResidual = false
    package var rescaleNFFN = false
    package var scaleEmbeddings = false
    package var tieEmbeddings = false
    /// The token that begins a document; nil: documents aren't told apart. No key: the text decides.
    package var bosID: Int?
    package var dropout = 0.0
    package var hiddenDropout = 0.0
    package var attentionDropout = 0.0
    /// What matrix products are computed in.
    package var precision = Precision.f32

    // Parts that can be taken away, or changed for another architecture's, to see what they are worth.

    /// Whether there is an adaptive working memory.
    package var memory = true
    package var window = Window.sliding
    package var timestepNorm = TimestepNormKind.decay
    /// Whether there is a complex EMA.
    package var ema = true

    /// What a token attends to: its own chunk and the one before, or its own only.
    package enum Window: String, CaseIterable, Sendable { case sliding, chunk }

    /// Averages that decay, or the plain moments of the document so far.
    package enum TimestepNormKind: String, CaseIterable, Sendable { case decay, cumulative }

    package init() {}

    /// dz
    package var keyDim: Int { zDim / heads }
    /// dv
    package var headValueDim: Int { valueDim / heads }
    /// D rounded up to whole vectors: the row length of the EMA's coefficients and state.
    package var paddedDim: Int { (dim + 15) / 16 * 16 }
    /// Chunks that a token attends to, its own included.
    package var chunksSeen: Int { window == .sliding ? 2 : 1 }
    /// Z of the memory's queries and keys; 0: there is no memory.
    package var memoryKeyDim: Int { memory ? zDim : 0 }
    /// Views of z: a query and a key, each of attention and of the memory.
    package var viewCount: Int { memory ? 4 : 2 }
    /// Floats of the EMA's state of a layer.
    package var emaCount: Int { ema ? 2 * emaDim * paddedDim : 0 }
}
