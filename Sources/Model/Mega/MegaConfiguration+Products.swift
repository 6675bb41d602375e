import Numerics

extension MegaConfiguration {
    /// Every product of a layer for a slice of `tokens`, forward and backward, and of the output layer.
    package func products(tokens: Int) -> [ModelProduct] {
        let (attention, feedForward) = (MegaAttention.mapShapes(self), feedForward(layer: 0).mapShapes)
        let maps = [
            ("v_proj", attention.v), ("mx_proj", attention.mx), ("h_proj", attention.h), ("fc1", feedForward.first),
            ("fc2", feedForward.last), ("output", output.mapShape),
        ]
        return maps.flatMap { ModelProduct.products(of: $0, $1, tokens: tokens) }
            + chunkAttention.products(tokens: tokens, reach: seesAll ? tokens : min(chunk, tokens))
    }
}
