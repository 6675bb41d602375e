/// Ranks that share cores because there are more ranks than cores: while more of them compute than there are cores, all
/// slow down alike.
package struct SharedCores: Sendable, Equatable {
    package var ranks: [Int]
    /// How many of the ranks can compute at full speed at once.
    package var cores: Double

    package init(ranks: [Int], cores: Double) {
        self.ranks = ranks
        self.cores = cores
    }
}
