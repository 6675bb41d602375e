import Numerics

extension GeckoConfiguration {
    /// Every product of a layer for a slice of `tokens`, forward and backward, those of its linear maps first, and of
    /// the output layer.
    ///
    /// Attention is listed as an engine without tiles would compute it, for rows that see two whole chunks; on CPUs
    /// with tiles it is cut finer and leaves out what lies behind the diagonal.
    package func products(tokens: Int) -> [ModelProduct] {
        let (attention, feedForward) = (GatedAttention.mapShapes(self), feedForward(layer: 0).mapShapes)
        let maps = [
            ("wz, wr", attention.wzr), ("wv", attention.wv), ("wh1", attention.wh1), ("wh2", attention.wh2),
            (swiglu ? "fc1, fc3" : "fc1", feedForward.first), ("fc2", feedForward.last),
            ("output", LinearMap.Shape(outputs: vocabulary, inputs: dim)),
        ]
        return maps.flatMap { Self.products(of: $0, $1, tokens: tokens) } + memoryProducts(tokens: tokens)
            + attentionProducts(tokens: tokens)
    }

    private static func products(of name: String, _ map: LinearMap.Shape, tokens: Int) -> [ModelProduct] {
        let (outputs, inputs) = (map.outputs, map.inputs)
        return [
            ModelProduct(
                name: name, direction: .forward, rows: tokens, columns: outputs, depth: inputs,
                leftIsTransposed: false, rightIsTransposed: true, isPrepared: true),
            ModelProduct(
                name: name, direction: .inputGradient, rows: tokens, columns: inputs, depth: outputs,
                leftIsTransposed: false, rightIsTransposed: false, isPrepared: true),
            ModelProduct(
                name: name, direction: .weightGradient, rows: outputs, columns: inputs, depth: tokens,
                leftIsTransposed: true, rightIsTransposed: false, adds: true),
        ]
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

    /// Of sliding chunk attention: a block of query rows, or of keys, each.
    private func attentionProducts(tokens: Int) -> [ModelProduct] {
        let rows = min(WindowAttention.forwardRows, tokens)
        let (keys, taken) = (2 * chunk, min(WindowAttention.backwardKeys, 2 * chunk))
        let block = min(TileProducts.depth, chunk, tokens)
        let forwards = heads * max(1, tokens / rows)
        let backwards = heads * max(1, tokens / block) * max(1, keys / taken)
        return [
            ModelProduct(
                name: "attention, scores", direction: .forward, rows: rows, columns: keys, depth: keyDim,
                leftIsTransposed: false, rightIsTransposed: true, count: forwards),
            ModelProduct(
                name: "attention, values", direction: .forward, rows: rows, columns: headValueDim, depth: keys,
                leftIsTransposed: false, rightIsTransposed: false, count: forwards),
            ModelProduct(
                name: "attention, scores", direction: .inputGradient, rows: block, columns: taken, depth: headValueDim,
                leftIsTransposed: false, rightIsTransposed: true, count: backwards),
            ModelProduct(
                name: "attention, values", direction: .inputGradient, rows: taken, columns: headValueDim, depth: block,
                leftIsTransposed: true, rightIsTransposed: false, adds: true, count: backwards),
            ModelProduct(
                name: "attention, keys", direction: .inputGradient, rows: taken, columns: keyDim, depth: block,
                leftIsTransposed: true, rightIsTransposed: false, adds: true, count: backwards),
            ModelProduct(
                name: "attention, queries", direction: .inputGradient, rows: rows, columns: keyDim, depth: taken,
                leftIsTransposed: false, rightIsTransposed: false, adds: true,
                count: backwards * max(1, block / rows)),
        ]
    }
}
