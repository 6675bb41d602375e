import Hardware

/// What training on one token costs, by kind of work (GECKO.md, Counts), for slices of `slice` tokens in the steady
/// state: the window is full, and each chunk absorbs one.
extension GeckoConfiguration {
    /// Twice the keys that a token sees on average: 3 C + 1, or C + 1 of its own chunk only.
    var keysSeenTwice: Double { Double((2 * chunksSeen - 1) * chunk + 1) }

    /// Forward, backward and weight gradients of one layer, per token.
    ///
    /// - Parameter operand: bytes of a number that a matrix product reads: 4, or 2 in bf16
    func layerWork(slice: Int, operand: Double) -> WorkCounts {
        let T = Double(slice)
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        let (N, C, H) = (Double(emaDim), Double(chunk), Double(heads))
        let window = Double(chunksSeen - 1) * C / T  // keys of the window, read once a slice
        var w = WorkCounts()
        for (columns, rows) in [(Z + E, D), (E, D), (D, D), (D, E), ((swiglu ? 2 : 1) * F, D), (D, F)] {
            w.addProducts(columns: columns, rows: rows, slice: T, operand: operand)
        }
        // Scores and values of the visible keys; forward reads q, k, v and writes y; backward reads q, k, v, y, dy,
        // writes dq, adds to dk, dv.
        let keys = (1 + window) * (Z + E)
        w.add(
            .attention, flops: 3 * (Z + E) * keysSeenTwice, floats: (Z + keys + E) + (2 * Z + 3 * keys + 2 * E))
        // Forward h and y; backward h again, g, and the gradients of x, p, q, gamma. A state is kept for each tile.
        if ema {
            let entries = 2 * N * D / 64
            w.add(.ema, flops: (12 + 34) * D * N, floats: (2 * D + entries) + (3 * D + entries))
        }
        // Timestep norm, RMS norm, layer norm: forward 2, backward 3 passes (the layer norm adds), the weights'
        // gradients 2.
        w.add(.norms, flops: (8 + 14 + 4 + 8 + 7 + 12) * D, floats: (2 + 3) * D + (2 + 3 + 2) * D + (2 + 4 + 2) * D)
        // Read and absorb; the memory itself once a chunk for each.
        if memory {
            let held = 2 * Z * E / H / C
            w.add(.memory, flops: 18 * Z * E / H, floats: (2 * Z + 3 * E + held) + 2 * (2 * Z + 3 * E + held))
        }
        w.add(.elementwise, flops: elementwiseFlops, floats: elementwiseFloats(window))
        return w
    }

    /// Biases, views of z, gates, residuals: an operation an element, exponentials counted as one.
    private var elementwiseFlops: Double {
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        let views = 2 * Double(viewCount) * Z
        var forward = (Z + E) + 3 * Z + views + 6 * Z + 4 * E + (memory ? 3 : 2) * E + 2 * D
        forward += (swiglu ? 5 : 4) * F
        var backward = 6 * E + 6 * Z + views + views + 5 * Z + 6 * E + (2 * E + Z + D) + 2 * D
        backward += (swiglu ? 10 : 6) * F
        return forward + backward
    }

    private func elementwiseFloats(_ window: Double) -> Double {
        let (D, Z, E, F) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim))
        let views = Double(viewCount)
        let states = 4 * window * (views / 2 * Z + E)  // the window out of the state and into the next one
        var forward = 2 * (Z + E) + Z  // bias, scale of each head
        forward += (views + 1) * Z + 4 * Z  // views, rotation of q and k
        forward += 2 * E + (memory ? 4 : 3) * E + 3 * D  // silu, gate, residual
        forward += (swiglu ? 3 : 2) * F
        var backward = 2 * D + 2 * D + 2 * D  // gradients handed on
        backward += 6 * E + 4 * Z  // gate, rotation
        backward += 2 * views * Z + (views + 1) * Z + 3 * Z + 3 * E  // views and their weights, z's norm, silu
        backward += 2 * E + Z + D  // biases
        backward += (swiglu ? 5 : 3) * F + 3 * D
        return forward + backward + 2 * states
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
