import Hardware

/// Sums a buffer over a group of ranks, always in the order of the group: `((x0 + x1) + x2) + ...` for every element.
///
/// The order depends on neither timing nor where an element lies in the buffer, so gradients come out bit for bit the same
/// however the model is cut into stages. (An MPI all-reduce promises no such thing: its algorithms order the sum by the
/// element's place in the message.)
///
/// Member j of a group of R sums the j-th of R equal parts: every other member sends it its share of that part, and gets the sum
/// back, in pieces so that sending and summing overlap. A member moves 2 (R - 1) / R of the buffer each way, as a ring would.
///
/// Nothing is allocated after `init`. The object belongs to its endpoint's thread, and can be used step after step.
package final class OrderedAllReduce {
    private let endpoint: any Endpoint
    private let buffer: UnsafeMutableBufferPointer<Float>
    private let contributions: [Contribution]
    private let summation: Summation
    private var isStarted = false
    private var lastAdvance = 0.0
    private static let interval = 20e-6

    /// - Parameters:
    ///   - group: the ranks, in the order of the sum; the same at all of them. This endpoint's rank is one.
    ///   - buffer: what is summed, in place. It lives as long as this object; all members' are equally long.
    ///   - firstTag: this tag and the next are used; no other message between these ranks may have them meanwhile.
    ///   - pieceBytes: the size of a message, about.
    package init(
        endpoint: any Endpoint, group: [Int], buffer: UnsafeMutableBufferPointer<Float>, firstTag: Int,
        pieceBytes: Int = 1 << 20
    ) {
        precondition(Set(group).count == group.count, "a rank is in a group once")
        guard let me = group.firstIndex(of: endpoint.rank) else {
            preconditionFailure("rank \(endpoint.rank) is not in the group \(group)")
        }
        self.endpoint = endpoint
        self.buffer = buffer
        let tags = (share: firstTag, sum: firstTag + 1)
        let piece = OrderedAllReduce.pieceSize(members: group.count, bytes: pieceBytes)
        func part(_ member: Int) -> PartPieces {
            let from = buffer.count * member / group.count
            let to = buffer.count * (member + 1) / group.count
            return PartPieces(UnsafeMutableBufferPointer(rebasing: buffer[from..<to]), piece: piece)
        }
        contributions = group.indices.filter { $0 != me }.map {
            Contribution(endpoint: endpoint, peer: group[$0], part: part($0), tags: tags)
        }
        // Alone there is nothing to sum.
        let own =
            group.count == 1 ? PartPieces(UnsafeMutableBufferPointer(start: nil, count: 0), piece: piece) : part(me)
        summation = Summation(endpoint: endpoint, group: group, member: me, part: own, tags: tags)
    }

    /// Floats per piece: as asked for, but the memory for everybody's shares stays below 64 MiB in a large group.
    private static func pieceSize(members: Int, bytes: Int) -> Int {
        let most = (64 << 20) / (members * Summation.depth)
        return max(1, min(bytes, most) / MemoryLayout<Float>.stride)
    }

    /// Begins a sum. From now on `buffer` belongs to the sync until `isFinished`.
    package func start() throws {
        precondition(!isStarted, "rank \(endpoint.rank): this sync is under way")
        isStarted = true
        for contribution in contributions { contribution.reset() }
        summation.reset()
        try advance()
    }

    /// Does what can be done now, and never waits. For the hook after kernels: calls that come too soon return at once.
    package func progress() throws {
        guard isStarted else { return }
        let now = MonotonicClock.seconds
        if now - lastAdvance < OrderedAllReduce.interval { return }
        lastAdvance = now
        try advance()
    }

    private func advance() throws {
        for contribution in contributions { try contribution.advance() }
        try summation.advance()
        if summation.isFinished && contributions.allSatisfy(\.isFinished) { isStarted = false }
    }

    /// Whether no sum is under way: `buffer` holds the sum and belongs to the caller again.
    package var isFinished: Bool { !isStarted }

    /// Waits for the end of the sum.
    package func finish() throws {
        try endpoint.wait(for: "the gradient sync with ranks \(peers)") {
            try advance()
            return isFinished
        }
    }

    private var peers: String {
        let late = contributions.filter { !$0.isFinished }.map(\.peer)
        return (late.isEmpty ? contributions.map(\.peer) : late).map(String.init).joined(separator: ", ")
    }
}
