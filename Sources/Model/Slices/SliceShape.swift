import Numerics

/// The slices that a stage's memory is laid out for.
package struct SliceShape: Sendable, Equatable {
    /// Tokens of the longest.
    package let length: Int
    /// Whether all begin and end at multiples of the architecture's `sliceMultiple`.
    package let aligned: Bool
    /// Threads that work on one.
    package let workers: Int
    /// What matrix products are computed by.
    package let matrices: MatrixEngine

    package init(length: Int, aligned: Bool = true, workers: Int = 1, matrices: MatrixEngine = .tiles) {
        self.matrices = matrices
        self.length = length
        self.aligned = aligned
        self.workers = workers
    }
}
