import Numerics

/// Shape and constants of a Llama 2 model (arXiv 2307.09288), in the letters of docs/LLAMA.md: what the keys of
/// `[model]` say, with their defaults. What they leave open, `resolve` settles.
package struct LlamaConfiguration: Sendable, Equatable {
    package var layers = 4
    /// D
    package var dim = 192
    /// H: query heads.
    package var heads = 4
    /// K: heads of keys and values; 0: as many as query heads.
    package var keyHeads = 0
    /// F; 0: as Llama 2 has it, two thirds of 4 D, rounded up to a multiple of 256.
    package var ffnDim = 0
    /// V; 0: as many as the text needs.
    package var vocabulary = 0
    package var eps = 1e-5
    package var ropeBase = 10_000.0
    package var tieEmbeddings = false
    /// The token that begins a document; nil: documents aren't told apart. No key: the text decides.
    package var bosID: Int?
    /// What matrix products are computed in.
    package var precision = Precision.f32

    package init() {}

    /// d: features of a head.
    package var headDim: Int { dim / heads }
    /// K d: features of the keys of all heads, and of the values.
    package var keyRow: Int { keyHeads * headDim }
}
