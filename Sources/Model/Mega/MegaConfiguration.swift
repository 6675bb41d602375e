import Numerics

/// Shape and constants of a Mega model (arXiv 2209.10655), in the letters of MEGA.md: what the keys of
/// `[model]` say, with their defaults. What they leave open, `resolve` settles.
package struct MegaConfiguration: Sendable, Equatable {
    /// What attention's weights are made of scores by.
    package enum Attention: String, CaseIterable, Sendable { case softmax, laplace, relu2 }
    /// How the bias of a distance is learned.
    package enum PositionBiasKind: String, CaseIterable, Sendable { case rotary, simple }

    package var layers = 4
    /// D
    package var dim = 192
    /// Z: queries and keys.
    package var zDim = 96
    /// E: values.
    package var valueDim = 384
    /// F
    package var ffnDim = 480
    /// N: orders of the damped EMA per channel.
    package var emaDim = 16
    /// C: tokens of an attention chunk; 0: attention sees the whole document so far.
    package var chunk = 128
    package var attention = Attention.softmax
    package var positionBias = PositionBiasKind.rotary
    /// M: distances that a simple bias knows; 0: those of a chunk.
    package var maxPositions = 0
    /// V; 0: as many as the text needs.
    package var vocabulary = 0
    package var eps = 1e-5
    package var finalNormAffine = false
    package var scaleEmbeddings = true
    package var tieEmbeddings = false
    /// The token that begins a document; nil: documents aren't told apart. No key: the text decides.
    package var bosID: Int?
    /// What matrix products are computed in.
    package var precision = Precision.f32

    package init() {}

    /// D rounded up to whole vectors: the row length of the EMA's coefficients and state.
    var paddedDim: Int { (dim + 15) / 16 * 16 }
    /// Columns of u, z, r and hx side by side.
    var wide: Int { 2 * dim + zDim + valueDim }
    /// Whether attention sees the whole document so far, whose keys and values are then kept for the sequence.
    var seesAll: Bool { chunk == 0 }
    /// The first token of a position's chunk.
    func chunkStart(of position: Int) -> Int { seesAll ? 0 : position / chunk * chunk }
}
