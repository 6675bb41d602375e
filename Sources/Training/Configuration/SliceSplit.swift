/// How a sequence is cut into slices.
package enum SliceSplit: String, CaseIterable, Sendable {
    /// All of `pipeline.slice` tokens.
    case equal
    /// As many, each of which takes a layer equally long.
    case balanced
}
