import Hardware

/// Sums memory over a group of ranks, always in the order of the group: `((x0 + x1) + x2) + ...` for every element.
///
/// The order depends on neither timing nor where an element lies, so gradients come out bit for bit the same however
/// the model is cut into stages and they into buckets. (An MPI all-reduce promises no such thing: its algorithms order
/// the sum by the element's place in the message.)
///
/// Each member of the group sums a part of it all: every other member sends it its share of that part, piece after
/// piece, and gets the sums back if `returns`. With equal parts a member of a group of R then moves 2 (R - 1) / R of
/// the memory each way, as a ring would, and half of that without the return. Pieces start on their way as soon as
/// their bucket is complete, so sending, summing and whatever fills the next bucket overlap.
///
/// Nothing is allocated after `init`. The object belongs to its endpoint's thread, and can be used again and again.
package final class OrderedSum {
    private let endpoint: any Endpoint
    private let contributions: [Contribution]
    private let summation: Summation
    private let buckets: Int
    /// Buckets that are complete here.
    private var complete = 0
    private var isStarted = false
    private var lastAdvance = 0.0
    /// What ended one of its transfers: there is no sum any more, and whoever asks for it is told why.
    private var failure: (any Error)?
    private static let interval = 20e-6

    /// - Parameters:
    ///   - group: the ranks, in the order of the sum; the same at all of them. This endpoint's rank is one.
    ///   - parts: what each member sums, in the group's order. It lives as long as this object; of the same sizes at
    ///     all members.
    ///   - returns: whether every member gets all sums; otherwise only the one that has formed them has them
    ///   - firstTag: this tag and the next are used; no other message between these ranks may have them meanwhile.
    package init(endpoint: any Endpoint, group: [Int], parts: [PartPieces], returns: Bool, firstTag: Int) {
        precondition(Set(group).count == group.count, "a rank is in a group once")
        precondition(parts.count == group.count && Set(parts.map(\.buckets)).count == 1, "a part for each member")
        guard let me = group.firstIndex(of: endpoint.rank) else {
            preconditionFailure("rank \(endpoint.rank) is not in the group \(group)")
        }
        self.endpoint = endpoint
        buckets = parts[me].buckets
        let tags = (share: firstTag, sum: firstTag + 1)
        contributions = group.indices.filter { $0 != me }.map {
            Contribution(endpoint: endpoint, peer: group[$0], part: parts[$0], returns: returns, tags: tags)
        }
        summation = Summation(
            endpoint: endpoint, group: group, member: me, part: parts[me], returns: returns, tags: tags)
    }

    /// Sums one buffer, in equal parts, all of it complete at once.
    package convenience init(
        endpoint: any Endpoint, group: [Int], buffer: UnsafeMutableBufferPointer<Float>, firstTag: Int,
        pieceBytes: Int = 1 << 20
    ) {
        let length = Self.pieceSize(members: group.count, bytes: pieceBytes)
        let parts = group.indices.map { member in
            let pieces = (0..<buffer.count).part(member, of: group.count).pieces(of: length)
            return PartPieces(
                pieces.map { UnsafeMutableBufferPointer(rebasing: buffer[$0]) }, ends: [0, pieces.count])
        }
        self.init(endpoint: endpoint, group: group, parts: parts, returns: true, firstTag: firstTag)
    }

    /// Floats per piece: as asked for, but the memory for everybody's shares stays below 64 MiB in a large group.
    static func pieceSize(members: Int, bytes: Int) -> Int {
        let most = (64 << 20) / (members * Summation.depth)
        return max(1, min(bytes, most) / MemoryLayout<Float>.stride)
    }

    /// Begins a sum of what is complete from the first to the last bucket.
    package func start() throws { try complete(buckets: buckets) }

    /// The first so many buckets are complete: from now on they belong to the sync until `isFinished`. Begins a sum if
    /// none is under way.
    package func complete(buckets: Int) throws {
        precondition(
            buckets <= self.buckets && (!isStarted || buckets > complete),
            """
            rank \(endpoint.rank): bucket \(buckets) of \(self.buckets) after bucket \(complete): this sync is \
            under way
            """
        )
        if !isStarted {
            for contribution in contributions { contribution.reset() }
            summation.reset()
        }
        isStarted = true
        complete = buckets
        try advance()
    }

    /// Does what can be done now, and never waits. For the hook after kernels: calls that come too soon return at once.
    package func progress() throws {
        guard isStarted else { return }
        let now = MonotonicClock.seconds
        if now - lastAdvance < OrderedSum.interval { return }
        lastAdvance = now
        try advance()
    }

    private func advance() throws {
        if let failure { throw failure }
        do { try advanceTransfers() } catch {
            failure = error
            throw error
        }
    }

    private func advanceTransfers() throws {
        for contribution in contributions { try contribution.advance(complete: complete) }
        try summation.advance(complete: complete)
        if summation.isFinished && contributions.allSatisfy(\.isFinished) && complete == buckets { isStarted = false }
    }

    /// Whether no sum is under way: the memory holds the sums and belongs to the caller again.
    package var isFinished: Bool { !isStarted }

    /// The share of this member's own part that has been summed since the start.
    package var summedShare: Double { summation.summedShare }

    /// The same, after what has come by now.
    package func summedShareNow() throws -> Double {
        if isStarted { try advance() }
        return summedShare
    }

    /// Waits for the end of the sum; all buckets must be complete.
    package func finish() throws {
        precondition(
            !isStarted || complete == buckets, "rank \(endpoint.rank): \(complete) of \(buckets) buckets are complete")
        // A wait for each piece: one that lasts puts the thread to sleep between its looks, and the network would be
        // idle meanwhile.
        while isStarted {
            let before = completedTransfers
            try endpoint.wait(for: "the gradient sync with ranks \(peers)") {
                try advance()
                return isFinished || completedTransfers != before
            }
        }
    }

    private var completedTransfers: Int {
        contributions.reduce(summation.completedTransfers) { $0 + $1.completedTransfers }
    }

    private var peers: String {
        let late = contributions.filter { !$0.isFinished }.map(\.peer)
        return (late.isEmpty ? contributions.map(\.peer) : late).map(String.init).joined(separator: ", ")
    }
}
