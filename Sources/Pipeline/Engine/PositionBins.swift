/// The positions of a sequence in bins of equal width, so few that a picture and a file hold them; the last bin may be
/// narrower.
package struct PositionBins: Sendable, Equatable {
    /// Tokens.
    package let sequence: Int
    /// Positions of a bin.
    package let width: Int

    package static let most = 64

    package init(sequence: Int) {
        precondition(sequence > 0)
        self.sequence = sequence
        width = (sequence + Self.most - 1) / Self.most
    }

    package var count: Int { (sequence + width - 1) / width }

    package func bin(of position: Int) -> Int { position / width }

    package func positions(of bin: Int) -> Range<Int> { bin * width..<min(sequence, (bin + 1) * width) }
}

/// Token losses of sequences, summed by bin. Each sum is one chain in the order of the positions, wherever slices are
/// cut.
struct PositionSums {
    let bins: PositionBins
    /// In nats [sequences, bins].
    private(set) var values: [Double]

    init(_ bins: PositionBins, sequences: Int) {
        self.bins = bins
        values = [Double](repeating: 0, count: sequences * bins.count)
    }

    /// Adds a slice's; a sequence's slices come in their order.
    ///
    /// - Parameters:
    ///   - losses: of its tokens, in nats
    ///   - first: the first token's position
    mutating func add(_ losses: ArraySlice<Double>, sequence: Int, first: Int) {
        let row = sequence * bins.count
        for (i, loss) in losses.enumerated() { values[row + bins.bin(of: first + i)] += loss }
    }
}

/// What an evaluation of a batch came to, the same on every rank.
package struct EvaluationSums: Sendable, Equatable {
    /// Sum of all token losses in nats.
    package let loss: Double
    /// The same by replica, its sequences and bins of positions [sequences, bins].
    package let positions: [[Double]]

    package init(loss: Double, positions: [[Double]]) {
        self.loss = loss
        self.positions = positions
    }
}
