import Hardware

/// What training on one token costs, by kind of work (MEGALODON.md, Counts), for slices of `slice` tokens that are
/// whole chunks.
extension MegalodonConfiguration {
    /// Matrix flops of a layer's forward per token; the EMA and the norms have none.
    var forwardFlopsPerToken: Double {
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        return 2 * (D * D + 3 * D * E + D * Z + (swiglu ? 3 : 2) * D * F) + (Z + E) * (Double(chunk) + 1)
    }

    /// Forward, backward and weight gradients of one layer, per token.
    ///
    /// - Parameter operand: bytes of a number that a matrix product reads: 4, or 2 in bf16
    func layerWork(slice: Int, operand: Double) -> WorkCounts {
        let T = Double(slice)
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        let (N, C) = (Double(emaDim), Double(chunk))
        var w = WorkCounts()
        for (columns, rows) in [(Z + E, D), (E, D), (D, D), (D, E), ((swiglu ? 2 : 1) * F, D), (D, F)] {
            w.addProducts(columns: columns, rows: rows, slice: T, operand: operand)
        }
        // Scores and values of the visible keys; forward reads q, k, v and writes y; backward reads q, k, v, y, dy,
        // writes dq, adds to dk, dv.
        let keys = Z + E
        w.add(.attention, flops: 3 * (Z + E) * (C + 1), floats: (Z + keys + E) + (2 * Z + 3 * keys + 2 * E))
        // Forward h and y; backward h again, g, and the gradients of x, p, q, gamma, omega. A state is kept for each
        // tile.
        let entries = 2 * N * D / 64
        w.add(.ema, flops: (12 + 34) * D * N + 4 * D, floats: (2 * D + entries) + (5 * D + entries))
        // Timestep norm, RMS norm, layer norm: forward 2, backward 3 passes (the layer norm adds), the weights'
        // gradients 2.
        w.add(.norms, flops: (8 + 14 + 4 + 8 + 7 + 12) * D, floats: (2 + 3) * D + (2 + 3 + 2) * D + (2 + 4 + 2) * D)
        w.add(.elementwise, flops: elementwiseFlops, floats: elementwiseFloats)
        return w
    }

    /// Biases, views of z, gates, residuals: an operation an element, exponentials counted as one.
    private var elementwiseFlops: Double {
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        let forward = (Z + E) + 3 * Z + 4 * Z + 6 * Z + 4 * E + 2 * E + 2 * D + (swiglu ? 5 : 4) * F
        let backward = 6 * E + 6 * Z + 4 * Z + 4 * Z + 5 * Z + 6 * E + (2 * E + Z + D) + (swiglu ? 10 : 6) * F + 3 * D
        return forward + backward
    }

    private var elementwiseFloats: Double {
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        var forward = 2 * (Z + E) + Z  // bias, scale of each head
        forward += 3 * Z + 4 * Z  // views, rotation of q and k
        forward += 2 * E + 3 * E + 3 * D  // silu, gate, residual
        forward += (swiglu ? 3 : 2) * F
        var backward = 2 * D + 2 * D + 3 * D  // gradients handed on
        backward += 6 * E + 4 * Z  // gate, rotation
        backward += 4 * Z + 3 * Z + 3 * Z + 3 * E  // views and their weights, z's norm, silu
        backward += 2 * E + Z + D  // biases
        backward += (swiglu ? 5 : 3) * F + 3 * D
        return forward + backward
    }

    /// The output layer, per token.
    func outputWork(slice: Int, operand: Double) -> WorkCounts {
        let (D, V) = (Double(dim), Double(vocabulary))
        var w = WorkCounts()
        w.addProducts(columns: V, rows: D, slice: Double(slice), operand: operand)
        w.add(.norms, flops: 22 * D, floats: 5 * D)
        w.add(.elementwise, flops: 5 * V, floats: 2 * V)
        return w
    }
}
