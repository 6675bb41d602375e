import KernelInterface

/// From scores to weights and back, where they aren't the softmax of the scores alone.
extension WindowAttention {
    /// Adds the bias of each distance to a block's scores.
    func addBias(_ call: Call, _ block: ScoreBlock, to scores: MutableFloatRows) {
        guard isBiased else { return }
        guard let bias = call.operands.bias else { preconditionFailure("this attention needs a bias by distance") }
        call.biased.addDistanceBias(
            scores, Extent(rows: block.rows.count, columns: block.keys.count), block.seen, bias - (block.seen - 1))
    }

    /// Scores and gradients of weights become, in place, weights and gradients of scores.
    ///
    /// - Parameter deltas: the sums of dy y from the block's first row on; only a softmax needs them
    func weightsBackward(
        _ call: Call, _ block: ScoreBlock, _ scores: MutableFloatRows, _ gradients: MutableFloatRows,
        deltas: UnsafePointer<Float>
    ) {
        let extent = Extent(rows: block.rows.count, columns: block.keys.count)
        switch weights {
        case .softmax:
            let kept = call.kept(block)
            call.kernels.causalSoftmaxBackward(
                CausalSoftmaxBackwardArguments(
                    scores: scores.base, gradients: gradients.base, stride: scores.stride, extent: extent,
                    seen: block.seen, top: call.operands.top + kept, total: call.operands.total + kept,
                    delta: deltas))
        case .laplace: call.biased.laplaceBackward(scores, gradients, extent, block.seen)
        case .squaredReLU: call.biased.squaredReLUBackward(scores, gradients, extent, block.seen)
        }
    }

    /// Floats in which a block of keys sums up its gradients by distance: one for each diagonal.
    var diagonals: Int { backwardRows + Self.backwardKeys }

    private func diagonals(_ f: BackwardScratch, keyHead: Int, place: Int) -> UnsafeMutablePointer<Float> {
        f.biasSums + (keyHead * backwardBlocks + place) * diagonals
    }

    /// Forgets the sums of the block before.
    func clearDiagonals(_ f: BackwardScratch, keyHead: Int, place: Int) {
        if isBiased { diagonals(f, keyHead: keyHead, place: place).update(repeating: 0, count: diagonals) }
    }

    /// Sums a block's score gradients by distance: each block of keys for itself, so that each sum has one owner.
    func addDiagonals(_ call: Call, _ block: ScoreBlock, _ gradients: FloatRows, place: Int, _ f: BackwardScratch) {
        guard isBiased else { return }
        call.biased.addDiagonals(
            diagonals(f, keyHead: block.head / sharing, place: place) + backwardRows - 1, gradients,
            Extent(rows: block.rows.count, columns: block.keys.count), block.seen)
    }

    /// Adds the sums of a turn's blocks to the bias' gradient, block after block.
    func addBiasGradient(_ call: Call, _ turn: BackwardTurn, _ g: Gradients, _ f: BackwardScratch) {
        guard isBiased, let bias = g.bias else { return }
        call.context.team.alone(as: .attention) {
            for keyHead in 0..<keyHeads {
                for place in 0..<turn.blocks.count {
                    let block = turn.keys(place)
                    let start = firstRow(
                        seeing: block.keys.lowerBound, of: block.rows, grain: biasGrain(call.context))
                    let visible = block.scores(from: start, head: keyHead * sharing)
                    // Behind distance 0 there is nothing, and before the first row's last diagonal neither.
                    let before = visible.rows.count - 1
                    let count = min(visible.keys.count, visible.seen) + before
                    if count <= 0 { continue }
                    call.context.kernels.tokens.elementwise.addTo(
                        bias - (visible.seen - 1) - before,
                        diagonals(f, keyHead: keyHead, place: place) + backwardRows - 1 - before, count)
                }
            }
        }
    }

    /// Rows from which on the scores of a block of keys are computed are multiples of it.
    private func biasGrain(_ context: SliceContext) -> Int { context.matrices.tile?.rows ?? Self.tallestStrip }
}
