/// The blocks of a Gecko model in order: embedding, layers, output.
package enum GeckoModel {
    package static func blocks(_ c: GeckoConfiguration) -> [any Block] {
        [Embedding(c)] + (0..<c.layers).map { GeckoLayer(c, layer: $0) } + [OutputLayer(c)]
    }
}
