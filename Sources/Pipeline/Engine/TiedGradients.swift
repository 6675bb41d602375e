import Numerics

/// Tied tensors: the gradient of the original and that of the copy are summed on both, always in this order, so that
/// the two stay equal and every layout gives the same bits. In one replica alone when that one updates both
/// (`TensorOwners`).
final class TiedGradients {
    private let rank: RankContext
    private let stages: RankStages
    /// What the other rank sends, by its floats; kept for the next step.
    private var buffers: [Int: FloatBuffer] = [:]

    init(_ rank: RankContext, _ stages: RankStages) {
        self.rank = rank
        self.stages = stages
    }

    func sum() throws { for tie in rank.plan.ties { try sum(tie) } }

    private func sum(_ tie: PipelinePlan.Tie) throws {
        switch (stages.updatedGradient(tie.original), stages.updatedGradient(tie.copy)) {
        case (let a?, let b?):
            for i in a.indices {
                a[i] += b[i]
                b[i] = a[i]
            }
        case (let a?, nil):
            let other = try swap(a, with: rank.plan.table.shape.rank(of: tie.copy.stage))
            for i in a.indices { a[i] += other.base[i] }
        case (nil, let b?):
            let other = try swap(b, with: rank.plan.table.shape.rank(of: tie.original.stage))
            for i in b.indices { b[i] = other.base[i] + b[i] }
        case (nil, nil): break
        }
    }

    /// Sends a gradient to a rank of this replica and receives as many floats from it.
    private func swap(_ values: UnsafeMutableBufferPointer<Float>, with peer: Int) throws -> FloatBuffer {
        let buffer = buffers[values.count] ?? FloatBuffer(values.count)
        buffers[values.count] = buffer
        let world = rank.worldRank(peer)
        let what = "the gradient of a tied tensor of rank \(world)"
        let (endpoint, tag) = (rank.endpoint, rank.tags.tiedEmbedding)
        let receive = try endpoint.startReceive(
            into: UnsafeMutableRawBufferPointer(buffer.bytes), from: world, tag: tag)
        let send = try endpoint.startSend(UnsafeRawBufferPointer(values), to: world, tag: tag)
        try endpoint.wait(receive, for: what)
        try endpoint.wait(send, for: what)
        return buffer
    }
}
