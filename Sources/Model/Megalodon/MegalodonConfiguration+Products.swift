import Numerics

extension MegalodonConfiguration {
    /// Every product of a layer for a slice of `tokens`, forward and backward, those of its linear maps first, and of
    /// the output layer. Attention is listed for rows that see a whole chunk (`WindowAttention.products`).
    package func products(tokens: Int) -> [ModelProduct] {
        let (attention, feedForward) = (MegalodonAttention.mapShapes(self), feedForward(layer: 0).mapShapes)
        let maps = [
            ("wz, wr", attention.wzr), ("wv", attention.wv), ("wh1", attention.wh1), ("wh2", attention.wh2),
            (swiglu ? "fc1, fc3" : "fc1", feedForward.first), ("fc2", feedForward.last),
            ("output", LinearMap.Shape(outputs: vocabulary, inputs: dim)),
        ]
        return maps.flatMap { ModelProduct.products(of: $0, $1, tokens: tokens) }
            + chunkAttention.products(tokens: tokens, reach: chunk)
    }
}
