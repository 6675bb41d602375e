import Numerics

extension GeckoConfiguration {
    /// Every product of a layer for a slice of `tokens`, forward and backward, those of its linear maps first, and of
    /// the output layer.
    ///
    /// Attention is listed as an engine without tiles would compute it, for rows that see whole chunks, all they can; on CPUs
    /// with tiles it is cut finer and leaves out what lies behind the diagonal.
    package func products(tokens: Int) -> [ModelProduct] {
        let (attention, feedForward) = (GatedAttention.mapShapes(self), feedForward(layer: 0).mapShapes)
        let maps = [
            ("wz, wr", attention.wzr), ("wv", attention.wv), ("wh1", attention.wh1), ("wh2", attention.wh2),
            (swiglu ? "fc1, fc3" : "fc1", feedForward.first), ("fc2", feedForward.last),
            ("output", LinearMap.Shape(outputs: vocabulary, inputs: dim)),
        ]
        return maps.flatMap { ModelProduct.products(of: $0, $1, tokens: tokens) }
            + (memory ? memoryProducts(tokens: tokens) : [])
            + chunkAttention(layer: 0).products(tokens: tokens, reach: chunksSeen * chunk)
    }

    /// Of the adaptive working memory: each a chunk and head. The absorption is computed again by the backward, which
    /// is not listed twice.
    private func memoryProducts(tokens: Int) -> [ModelProduct] {
        let count = heads * max(1, tokens / chunk)
        let rows = min(chunk, tokens)
        enum Side { case left, right }
        func product(
            _ name: String, _ direction: ModelProduct.Direction, _ rows: Int, _ columns: Int, _ depth: Int,
            transposed: Side? = nil
        ) -> ModelProduct {
            ModelProduct(
                name: name, direction: direction, rows: rows, columns: columns, depth: depth,
                leftIsTransposed: transposed == .left, rightIsTransposed: transposed == .right, count: count)
        }
        return [
            product("memory, read", .forward, rows, headValueDim, keyDim),
            product("memory, values", .forward, rows, headValueDim, keyDim),
            product("memory, absorb", .forward, keyDim, headValueDim, rows, transposed: .left),
            product("memory, read", .inputGradient, rows, keyDim, headValueDim, transposed: .right),
            product("memory, state", .inputGradient, keyDim, headValueDim, rows, transposed: .left),
            product("memory, values", .inputGradient, rows, headValueDim, keyDim),
            product("memory, keys", .inputGradient, rows, keyDim, headValueDim, transposed: .right),
        ]
    }
}
