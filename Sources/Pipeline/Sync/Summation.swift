import Numerics

/// A member's work on its own part: it collects the others' shares of each piece, sums them in the order of the group,
/// and may send the sum to all.
final class Summation {
    /// Shares of a peer that may be on their way or waiting for the others'. Messages move on between kernels only,
    /// every few milliseconds: so many of a piece's length keep a network busy from one to the next.
    static let depth = 4

    private let endpoint: any Endpoint
    private let group: [Int]
    private let member: Int
    private let part: PartPieces
    private let returns: Bool
    private let tags: (share: Int, sum: Int)
    /// Room for `depth` pieces of each other member.
    private let longest: Int
    private let shareMemory: FloatBuffer
    private let sumMemory: FloatBuffer
    /// By member; this one's own are not used.
    private var shares: [TransferWindow]
    private var sums: [TransferWindow]
    /// Pieces that have been summed.
    private var summed = 0

    init(
        endpoint: any Endpoint, group: [Int], member: Int, part: PartPieces, returns: Bool,
        tags: (share: Int, sum: Int)
    ) {
        self.endpoint = endpoint
        self.group = group
        self.member = member
        // Alone there is nothing to sum.
        self.part = group.count > 1 ? part : PartPieces([], ends: [Int](repeating: 0, count: part.buckets + 1))
        self.returns = returns
        self.tags = tags
        longest = self.part.longest
        shareMemory = FloatBuffer(
            Summation.shareBytes(members: group.count, longestPiece: longest) / MemoryLayout<Float>.stride)
        sumMemory = FloatBuffer(min(longest, Summation.block))
        shares = group.map { _ in TransferWindow(width: Summation.depth) }
        sums = group.map { _ in TransferWindow(width: 4) }
    }

    /// Bytes of the room for the others' shares.
    static func shareBytes(members: Int, longestPiece: Int) -> Int {
        (members - 1) * depth * longestPiece * MemoryLayout<Float>.stride
    }

    func reset() {
        summed = 0
        for index in group.indices {
            shares[index].reset()
            sums[index].reset()
        }
    }

    var isFinished: Bool {
        summed == part.count
            && (!returns || group.indices.allSatisfy { $0 == member || sums[$0].completed == part.count })
    }

    var completedTransfers: Int { shares.reduce(0) { $0 + $1.completed } + sums.reduce(0) { $0 + $1.completed } }

    var summedShare: Double { part.count == 0 ? 0 : Double(summed) / Double(part.count) }

    /// - Parameter complete: buckets of which this member's own pieces may be summed
    func advance(complete: Int) throws {
        if isFinished { return }
        try collectShares()
        let limit = part.count(inBuckets: complete)
        while summed < limit, group.indices.allSatisfy({ $0 == member || shares[$0].completed > summed }) {
            sum(summed)
            summed += 1
            try collectShares()
        }
        guard returns else { return }
        for other in group.indices where other != member {
            try sums[other].advance(to: summed, endpoint) {
                try endpoint.startSend(UnsafeRawBufferPointer(part[$0]), to: group[other], tag: tags.sum)
            }
        }
    }

    private func collectShares() throws {
        // A place is free again when its piece has been summed.
        let limit = min(part.count, summed + Summation.depth)
        for other in group.indices where other != member {
            try shares[other].advance(to: limit, endpoint) {
                try endpoint.startReceive(
                    into: UnsafeMutableRawBufferPointer(share(of: other, piece: $0)), from: group[other],
                    tag: tags.share)
            }
        }
    }

    private func share(of other: Int, piece: Int) -> UnsafeMutableBufferPointer<Float> {
        let place = other < member ? other : other - 1
        let from = (place * Summation.depth + piece % Summation.depth) * longest
        return UnsafeMutableBufferPointer(start: shareMemory.base + from, count: part[piece].count)
    }
}

// The arithmetic.
extension Summation {
    /// Floats summed at a time: the running sum stays in the first-level cache.
    private static let block = 2048

    private func sum(_ piece: Int) {
        let own = part[piece]
        guard let target = own.baseAddress else { return }
        let sum = sumMemory.base
        var from = 0
        while from < own.count {
            let count = min(Summation.block, own.count - from)
            for index in group.indices {
                let values = index == member ? own : share(of: index, piece: piece)
                guard let source = values.baseAddress else { continue }
                if index == 0 {
                    sum.update(from: source + from, count: count)
                } else {
                    Summation.add(source + from, to: sum, count)
                }
            }
            (target + from).update(from: sum, count: count)
            from += count
        }
    }

    private static func add(_ source: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, _ count: Int) {
        for index in 0..<count { sum[index] += source[index] }
    }
}
