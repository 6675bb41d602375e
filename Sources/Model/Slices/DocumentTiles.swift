/// A slice cut into runs of tokens within which a scan goes on without a break: at every document's first token, and
/// where a run has become as long as a tile.
package struct DocumentTiles: Sendable, Equatable {
    /// First tokens, counted from the slice's first, ascending from 0.
    package private(set) var starts: [Int32] = []
    /// 1 where a tile begins a document.
    package private(set) var resets: [UInt8] = []
    /// Tokens of the slice.
    package private(set) var length = 0
    private let longest: Int

    /// - Parameter longest: tokens of a tile at most
    package init(longest: Int) { self.longest = longest }

    /// Cuts a slice, in the memory of the one before.
    ///
    /// - Parameter documents: of each token whether it is a document's first: 1, or 0
    mutating func cut(documents: [UInt8]) {
        starts.removeAll(keepingCapacity: true)
        resets.removeAll(keepingCapacity: true)
        length = documents.count
        for t in 0..<length where documents[t] == 1 || starts.isEmpty || t - Int(starts.last!) == longest {
            starts.append(Int32(t))
            resets.append(documents[t])
        }
    }
}
