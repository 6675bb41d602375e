/// What the ranks tell each other when a step's gradients are complete: a row of numbers from each, by world rank. The
/// memory serves step after step where nobody keeps a copy.
package struct RankNumbers: Sendable {
    /// Columns of the table: what a number of a row is.
    enum Column {
        static let tableSeconds = 0
        static let waited = 1
        static let summedEarly = 2
        static let loss = 3
        static let peakMemory = 4
        /// The first of the tensors' squared norms; the rank's notes come behind them.
        static let norms = 5
    }

    /// [ranks, numbers of a row]
    private var values: [Double] = []
    private var width = 0
    /// Where a row's notes begin.
    private let firstNote: Int

    /// - Parameter tensors: squared norms that have room in a row
    init(tensors: Int) { firstNote = Column.norms + tensors }

    /// Brings this rank's row to all and takes everybody's. Every rank brings equally many numbers.
    mutating func gather(_ row: [Double], _ endpoint: any Endpoint) throws {
        width = row.count
        if values.count != endpoint.size * width { values = [Double](repeating: 0, count: endpoint.size * width) }
        try row.withUnsafeBufferPointer { row in
            try values.withUnsafeMutableBufferPointer { try endpoint.allGather(row, into: $0) }
        }
    }

    package var ranks: Range<Int> { 0..<(width > 0 ? values.count / width : 0) }

    subscript(_ rank: Int, _ column: Int) -> Double { values[rank * width + column] }

    /// Whether every number of every rank is, so that all take the same decision whatever became of one replica's copy.
    var areFinite: Bool {
        ranks.allSatisfy { rank in (Column.loss..<width).allSatisfy { self[rank, $0].isFinite } }
    }

    /// Share of a rank's time spent waiting for messages or the disk in the schedule.
    package func idleShare(of rank: Int) -> Double { self[rank, Column.waited] / self[rank, Column.tableSeconds] }

    /// The share of the sums over replicas that a rank forms which was done before its last gradients were complete; 0
    /// with one replica.
    package func earlySum(of rank: Int) -> Double { self[rank, Column.summedEarly] }

    /// The most bytes that a rank's process has held so far.
    package func peakMemory(of rank: Int) -> Int { Int(self[rank, Column.peakMemory]) }

    /// What a rank had to tell the others.
    package func notes(of rank: Int) -> ArraySlice<Double> { values[rank * width + firstNote..<(rank + 1) * width] }
}
