/// Brings every member's part of some memory to all other members of a group, in pieces.
///
/// Nothing is allocated after `init`. The object belongs to its endpoint's thread, and can be used again and again.
final class PartExchange {
    private let endpoint: any Endpoint
    private let own: PartPieces
    private var peers: [Peer]
    private let tag: Int

    private struct Peer {
        let rank: Int
        let part: PartPieces
        var sends = TransferWindow(width: 4)
        var receives = TransferWindow(width: 4)
    }

    /// - Parameters:
    ///   - group: the ranks, the same at all of them. This endpoint's rank is one.
    ///   - parts: by member; they live as long as this object, and are of the same sizes at all members
    ///   - tag: no other message between these ranks may have it meanwhile
    init(endpoint: any Endpoint, group: [Int], parts: [PartPieces], tag: Int) {
        guard let me = group.firstIndex(of: endpoint.rank) else {
            preconditionFailure("rank \(endpoint.rank) is not in the group \(group)")
        }
        self.endpoint = endpoint
        self.tag = tag
        own = parts[me]
        peers = group.indices.filter { $0 != me }.map { Peer(rank: group[$0], part: parts[$0]) }
    }

    /// Returns when all parts are here and this member's own are with the others, or on a way that needs it no more.
    func run() throws {
        for i in peers.indices {
            peers[i].sends.reset()
            peers[i].receives.reset()
        }
        // A wait for each piece, as `OrderedSum` has it.
        while !peers.allSatisfy(isFinished) {
            let before = completedTransfers
            try endpoint.wait(for: "the updated parameters of ranks \(late)") {
                for i in peers.indices { try advance(&peers[i]) }
                return completedTransfers != before
            }
        }
    }

    private var completedTransfers: Int { peers.reduce(0) { $0 + $1.receives.completed + $1.sends.completed } }

    private func advance(_ peer: inout Peer) throws {
        let (rank, part) = (peer.rank, peer.part)
        try peer.receives.advance(to: part.count, endpoint) {
            try endpoint.startReceive(into: UnsafeMutableRawBufferPointer(part[$0]), from: rank, tag: tag)
        }
        try peer.sends.advance(to: own.count, endpoint) {
            try endpoint.startSend(UnsafeRawBufferPointer(own[$0]), to: rank, tag: tag)
        }
    }

    private func isFinished(_ peer: Peer) -> Bool {
        peer.receives.completed == peer.part.count && peer.sends.completed == own.count
    }

    private var late: String {
        peers.filter { !isFinished($0) }.map { String($0.rank) }.joined(separator: ", ")
    }
}
