import Hardware
import Numerics

/// One Mega layer: gated attention, then feed-forward.
typealias MegaLayer = MixerLayer<MegaAttention>

extension MegaConfiguration: MixerArchitecture {
    /// Matrix flops of a layer's forward: of a token, and more for each token before it.
    var layerFlops: BlockDescription.ForwardFlops {
        // In a chunk a token sees (C + 1) / 2 keys on average.
        let keys = seesAll ? 1 : (Double(chunk) + 1) / 2
        return .init(
            perToken: mapFlopsPerToken + attentionFlops(keys: keys),
            perTokenBefore: seesAll ? attentionFlops(keys: 1) : 0)
    }
}

/// How its memory is laid out, and its state.
extension MegaAttention {
    static func maps(_ c: MegaConfiguration) -> [LinearMap.Shape] {
        let maps = mapShapes(c)
        return [maps.v, maps.mx, maps.h]
    }

    static func stateCount(_ c: MegaConfiguration, _ shape: SliceShape) -> Int {
        MegaState.count(c, window: MegaGeometry(shape, c).window)
    }

    static func carried(_ c: MegaConfiguration, _ shape: SliceShape, layer: String) -> [StateTensor] {
        MegaState.tensors(c, window: MegaGeometry(shape, c).window, block: layer)
    }

    static func stash(_ carver: inout Carver, _ c: MegaConfiguration, _ shape: SliceShape) -> Stash {
        Stash(&carver, c, MegaGeometry(shape, c))
    }

    static func gradientStash(_ carver: inout Carver, _ c: MegaConfiguration, _ shape: SliceShape) -> GradientStash {
        GradientStash(&carver, c, MegaGeometry(shape, c))
    }

    static func workspace(_ carver: inout Carver, _ c: MegaConfiguration, _ shape: SliceShape) -> Workspace {
        Workspace(&carver, c, MegaGeometry(shape, c))
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        MegaState.at(state, c, shape).reset()
    }

    /// The EMA's coefficients and the biases, and the gradients of what they are made of.
    var preparation: Work { .ema }
}
