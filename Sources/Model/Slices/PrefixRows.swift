/// A block's rows for the tokens of the sequence: those of the slice under way are written or read, those of the slices
/// before are there.
///
/// There is one buffer a sequence for values and one for gradients. With streams its first rows are those of the last
/// tokens before the sequence (`data.stream_context`): what goes back to them ends there. A forward writes its
/// slice's rows of the values and may read those before. A backward adds to the gradients of its slice's rows and of
/// those before; since slices come last first, its own rows are complete when it has added what it has for them itself.
package struct PrefixRows {
    /// [S, width], of the tokens before the sequence that are kept, and of the whole sequence.
    package let values: UnsafeMutablePointer<Float>
    /// The same; nil in a forward.
    package let gradients: UnsafeMutablePointer<Float>?
    /// The row of the slice's first token: its position, counted from the first token kept.
    package let first: Int
}
