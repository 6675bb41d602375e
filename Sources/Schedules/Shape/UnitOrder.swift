/// The order in which units enter the pipeline and the order in which their gradients leave it.
///
/// Forwards go by sequence and then by slice. Backwards go by sequence too, but run the slices of a sequence from the
/// last to the first, because the gradient of the carried state flows that way. Weight gradients are therefore summed
/// in one order in every legal schedule.
public struct UnitOrder: Sendable {
    /// Slices of each sequence.
    public let slices: Int

    /// The order for so many slices a sequence.
    public init(slices: Int) { self.slices = slices }

    /// The unit of the `index`-th forward of a stage.
    public func forward(_ index: Int) -> (sequence: Int, slice: Int) {
        (index / slices, index % slices)
    }

    /// The unit of the `index`-th backward of a stage.
    public func backward(_ index: Int) -> (sequence: Int, slice: Int) {
        (index / slices, slices - 1 - index % slices)
    }

    /// The inverse of `backward`.
    public func backwardIndex(sequence: Int, slice: Int) -> Int {
        sequence * slices + slices - 1 - slice
    }

    /// How many forwards of a stage must have passed before its `index`-th backward can come: all slices of its
    /// sequence.
    public func forwardsBefore(backward index: Int) -> Int {
        (index / slices + 1) * slices
    }
}
