import Numerics

/// Sums the gradients of a rank's stages over the replicas, bucket by bucket: each starts on its way when its last
/// block has its gradient, and goes on between the kernels of what the rank still has to compute.
final class GradientSync {
    private let buckets: [SyncLayout.Bucket]
    private let sum: OrderedSum
    /// Buckets that are complete in this step.
    private var complete = 0
    /// The share of what this rank sums that was summed before its last bucket was complete: what overlapped for
    /// certain.
    private(set) var earlyShare = 0.0

    /// - Parameters:
    ///   - group: the ranks of the same stages, by replica
    ///   - gradients: of a stage
    ///   - returns: whether every replica gets all sums, or each those of its part
    ///   - tag: this and the next are used
    init(
        _ layout: SyncLayout, endpoint: any Endpoint, group: [Int], gradients: (_ stage: Int) -> FloatBuffer,
        returns: Bool, tag: Int
    ) {
        buckets = layout.buckets
        sum = OrderedSum(
            endpoint: endpoint, group: group, parts: layout.pieces(of: gradients), returns: returns, firstTag: tag)
    }

    /// The gradients of a stage's block, and those of all blocks behind it, are final.
    func complete(block: Int, of stage: Int) throws {
        guard complete < buckets.count, buckets[complete] == SyncLayout.Bucket(stage: stage, block: block) else {
            return
        }
        if complete == buckets.count - 1 { earlyShare = try complete > 0 ? sum.summedShareNow() : 0 }
        complete += 1
        try sum.complete(buckets: complete)
    }

    func progress() throws { try sum.progress() }

    func finish() throws {
        precondition(complete == buckets.count, "\(complete) of \(buckets.count) buckets are complete at the row's end")
        try sum.finish()
        complete = 0
    }
}

extension SyncLayout {
    /// The parts in the memory of the rank's stages, by replica.
    func pieces(of memory: (_ stage: Int) -> FloatBuffer) -> [PartPieces] {
        zip(parts, ends).map { part, ends in
            PartPieces(
                part.map {
                    UnsafeMutableBufferPointer(
                        start: memory($0.stage).base + $0.floats.lowerBound, count: $0.floats.count)
                },
                ends: ends)
        }
    }
}
