import Hardware

/// What training on one token costs (LLAMA.md, Counts).
extension LlamaConfiguration {
    /// Forward flops of a layer's linear maps per token.
    var mapFlopsPerToken: Double {
        let (D, K, F) = (Double(dim), Double(keyRow), Double(ffnDim))
        return 2 * (2 * D * D + 2 * D * K + 3 * D * F)
    }

    /// Forward flops of a token's scores and values over so many keys.
    func attentionFlops(keys: Double) -> Double { 4 * Double(dim) * keys }

    /// Forward, backward and weight gradients of one layer, per token, on average over a sequence.
    ///
    /// - Parameter operand: bytes of a number that a matrix product reads: 4, or 2 in bf16
    func layerWork(_ tokens: SequenceShape, operand: Double) -> WorkCounts {
        let (D, K, F) = (Double(dim), Double(keyRow), Double(ffnDim))
        let (T, L) = (Double(tokens.slice), Double(tokens.sequence))
        var w = WorkCounts()
        for (columns, rows) in [(D + 2 * K, D), (D, D), (2 * F, D), (D, F)] {
            w.addProducts(columns: columns, rows: rows, slice: T, operand: operand)
        }
        // The keys and values in reach are read once a slice, half of the sequence on average; the backward also adds
        // to their gradients.
        let before = Double(tokens.before)
        let reach = ((L + T) / 2 + before) / T * 2 * K
        w.add(
            .attention, flops: 3 * attentionFlops(keys: (L + 1) / 2 + before),
            floats: (D + reach + D) + (2 * D + 3 * reach + 2 * D))
        // Two RMS norms: forward 2, backward 3 passes, the weight's gradient 2.
        w.add(.norms, flops: 2 * (4 + 8 + 4) * D, floats: 2 * (2 + 4 + 2) * D)
        let rotation = 3 * (D + K)
        w.add(
            .elementwise, flops: 2 * rotation + 15 * F + 4 * D,
            floats: 4 * (D + K) + 4 * (D + 2 * K) + 8 * F + 9 * D)
        return w
    }
}
