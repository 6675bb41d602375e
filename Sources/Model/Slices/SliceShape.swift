/// The slices that a stage's memory is laid out for.
package struct SliceShape: Sendable, Equatable {
    /// Tokens of the longest.
    package let length: Int
    /// Whether all begin and end at multiples of the architecture's `sliceMultiple`.
    package let aligned: Bool
    /// Threads that work on one.
    package let workers: Int

    package init(length: Int, aligned: Bool = true, workers: Int = 1) {
        self.length = length
        self.aligned = aligned
        self.workers = workers
    }
}
