/// A member's dealings with another member about that member's part: it sends its share of each piece and may get the
/// sum back.
final class Contribution {
    let peer: Int
    private let endpoint: any Endpoint
    private let part: PartPieces
    private let returns: Bool
    private let tags: (share: Int, sum: Int)
    private var shares = TransferWindow(width: 4)
    private var sums = TransferWindow(width: 4)

    init(endpoint: any Endpoint, peer: Int, part: PartPieces, returns: Bool, tags: (share: Int, sum: Int)) {
        self.endpoint = endpoint
        self.peer = peer
        self.part = part
        self.returns = returns
        self.tags = tags
    }

    func reset() {
        shares.reset()
        sums.reset()
    }

    /// - Parameter complete: buckets of which the pieces may go
    func advance(complete: Int) throws {
        if isFinished { return }
        try shares.advance(to: part.count(inBuckets: complete), endpoint) {
            try endpoint.startSend(UnsafeRawBufferPointer(part[$0]), to: peer, tag: tags.share)
        }
        guard returns else { return }
        // A sum takes the place of the share, so it is asked for when the share has left.
        try sums.advance(to: shares.completed, endpoint) {
            try endpoint.startReceive(into: UnsafeMutableRawBufferPointer(part[$0]), from: peer, tag: tags.sum)
        }
    }

    var completedTransfers: Int { shares.completed + sums.completed }
    var isFinished: Bool { (returns ? sums : shares).completed == part.count }
}
