import Numerics

/// One Llama layer: causal attention, then feed-forward.
typealias LlamaLayer = MixerLayer<LlamaAttention>

extension LlamaConfiguration: MixerArchitecture {}

/// How its memory is laid out; what it carries are the rows of all tokens.
extension LlamaAttention {
    static func maps(_ c: LlamaConfiguration) -> [LinearMap.Shape] {
        let maps = mapShapes(c)
        return [maps.wqkv, maps.wo]
    }

    static func stash(_ carver: inout Carver, _ c: LlamaConfiguration, _ shape: SliceShape) -> Stash {
        Stash(&carver, c, length: shape.length)
    }

    static func gradientStash(_ carver: inout Carver, _ c: LlamaConfiguration, _ shape: SliceShape) -> GradientStash {
        GradientStash(&carver, c, length: shape.length)
    }

    static func workspace(_ carver: inout Carver, _ c: LlamaConfiguration, _ shape: SliceShape) -> Workspace {
        Workspace(&carver, c, length: shape.length, workers: shape.workers)
    }
}
