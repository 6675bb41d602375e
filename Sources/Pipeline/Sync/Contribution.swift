/// A member's dealings with another member about that member's part: it sends its share of each piece and gets the sum back.
final class Contribution {
    let peer: Int
    private let endpoint: any Endpoint
    private let part: PartPieces
    private let tags: (share: Int, sum: Int)
    private var shares = TransferWindow(width: 4)
    private var sums = TransferWindow(width: 4)

    init(endpoint: any Endpoint, peer: Int, part: PartPieces, tags: (share: Int, sum: Int)) {
        self.endpoint = endpoint
        self.peer = peer
        self.part = part
        self.tags = tags
    }

    func reset() {
        shares.reset()
        sums.reset()
    }

    func advance() throws {
        if isFinished { return }
        try shares.advance(to: part.count, endpoint) {
            try endpoint.startSend(UnsafeRawBufferPointer(part[$0]), to: peer, tag: tags.share)
        }
        // A sum takes the place of the share, so it is asked for when the share has left.
        try sums.advance(to: shares.completed, endpoint) {
            try endpoint.startReceive(into: UnsafeMutableRawBufferPointer(part[$0]), from: peer, tag: tags.sum)
        }
    }

    var isFinished: Bool { sums.completed == part.count }
}
