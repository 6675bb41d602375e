import Hardware

/// What training on one token costs (MEGA.md).
extension MegaConfiguration {
    /// Forward flops of a layer's linear maps per token.
    var mapFlopsPerToken: Double {
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        return 2 * (2 * D * D + 3 * D * E + D * Z + 2 * D * F)
    }

    /// Forward flops of a token's scores and values over so many keys.
    func attentionFlops(keys: Double) -> Double { 2 * Double(zDim + valueDim) * keys }

    /// Forward, backward and weight gradients of one layer, per token, on average over a sequence.
    ///
    /// - Parameter operand: bytes of a number that a matrix product reads: 4, or 2 in bf16
    func layerWork(_ tokens: SequenceShape, operand: Double) -> WorkCounts {
        let (D, Z, E, F, N) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim), Double(emaDim))
        let (T, L) = (Double(tokens.slice), Double(tokens.sequence))
        var w = WorkCounts()
        for (columns, rows) in [(E, D), (2 * D + Z + E, D), (D, E), (F, D), (D, F)] {
            w.addProducts(columns: columns, rows: rows, slice: T, operand: operand)
        }
        // Keys and values in reach are read once a slice; the backward also adds to their gradients.
        let reach = seesAll ? ((L + T) / 2 + Double(tokens.before)) / T : 1
        let seen = seesAll ? (L + 1) / 2 + Double(tokens.before) : (Double(chunk) + 1) / 2
        let keys = reach * (Z + E)
        w.add(
            .attention, flops: 3 * attentionFlops(keys: seen),
            floats: (Z + keys + E) + (2 * Z + 3 * keys + 2 * E))
        // Forward h and y; backward h again, g, and the gradients of x, p, q, gamma. A state is kept for each tile.
        let entries = N * D / 64
        w.add(.ema, flops: (5 + 13) * D * N, floats: (2 * D + entries) + (3 * D + entries))
        // Two layer norms: forward 2, backward 4 passes, the parameters' gradients 2.
        w.add(.norms, flops: 2 * (7 + 12 + 5) * D, floats: 2 * (2 + 4 + 2) * D)
        let forward = 6 * D + 2 * D + (2 * D + Z + E) + 4 * E + 8 * Z + 6 * E + 8 * D + 5 * F
        let backward = 14 * D + 9 * E + 10 * Z + 6 * D + (2 * D + Z + E) + 7 * E + 4 * D + 7 * F
        w.add(
            .elementwise, flops: forward + backward,
            floats: (8 * D + 6 * E + 6 * Z + 5 * D + 4 * F) + (14 * D + 10 * E + 8 * Z + 6 * F))
        return w
    }
}
