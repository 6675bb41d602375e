/// A member's part of what a group of ranks sums or shares: pieces of memory, in the order in which they become
/// complete.
package struct PartPieces {
    private let pieces: [UnsafeMutableBufferPointer<Float>]
    /// How many pieces lie in the first 0, 1, 2, ... buckets.
    private let ends: [Int]

    package init(_ pieces: [UnsafeMutableBufferPointer<Float>], ends: [Int]) {
        precondition(ends.first == 0 && ends.last == pieces.count, "every piece is in a bucket")
        self.pieces = pieces
        self.ends = ends
    }

    var count: Int { pieces.count }
    var buckets: Int { ends.count - 1 }
    /// Floats of the longest piece.
    var longest: Int { pieces.map(\.count).max() ?? 0 }

    subscript(piece: Int) -> UnsafeMutableBufferPointer<Float> { pieces[piece] }

    /// Pieces of the first so many buckets.
    func count(inBuckets buckets: Int) -> Int { ends[buckets] }
}
