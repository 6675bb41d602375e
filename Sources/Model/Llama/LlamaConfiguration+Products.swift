import Numerics

extension LlamaConfiguration {
    /// Every product of a layer for a slice of `tokens`, forward and backward, and of the output layer. Attention is
    /// listed for a block of rows and a block of keys, which is how it is cut.
    package func products(tokens: Int) -> [ModelProduct] {
        let (attention, feedForward) = (LlamaAttention.mapShapes(self), feedForward(layer: 0).mapShapes)
        return ModelProduct.products(of: "wq, wk, wv", attention.wqkv, tokens: tokens)
            + ModelProduct.products(of: "wo", attention.wo, tokens: tokens)
            + ModelProduct.products(of: "w1, w3", feedForward.first, tokens: tokens)
            + ModelProduct.products(of: "w2", feedForward.last, tokens: tokens)
            + ModelProduct.products(of: "output", output.mapShape, tokens: tokens)
            + self.attention.products(tokens: tokens, reach: tokens)
    }
}
