import Hardware
import Numerics

/// One Megalodon layer: gated attention, then feed-forward whose residual is the layer's input (two hops).
typealias MegalodonLayer = MixerLayer<MegalodonAttention>

extension MegalodonConfiguration: MixerArchitecture {
    package var hasTwoHops: Bool { true }
}

/// How its memory is laid out, and its state.
extension MegalodonAttention {
    static func maps(_ c: MegalodonConfiguration) -> [LinearMap.Shape] {
        let maps = mapShapes(c)
        return [maps.wzr, maps.wv, maps.wh1, maps.wh2]
    }

    static func stateCount(_ c: MegalodonConfiguration, _ shape: SliceShape) -> Int {
        MegalodonState.count(c, window: MegalodonGeometry(shape, c).window)
    }

    static func carried(_ c: MegalodonConfiguration, _ shape: SliceShape, layer: String) -> [StateTensor] {
        MegalodonState.tensors(c, window: MegalodonGeometry(shape, c).window, block: layer)
    }

    static func stash(_ carver: inout Carver, _ c: MegalodonConfiguration, _ shape: SliceShape) -> Stash {
        Stash(&carver, c, MegalodonGeometry(shape, c))
    }

    static func gradientStash(
        _ carver: inout Carver, _ c: MegalodonConfiguration, _ shape: SliceShape
    ) -> GradientStash {
        GradientStash(&carver, c, MegalodonGeometry(shape, c))
    }

    static func workspace(_ carver: inout Carver, _ c: MegalodonConfiguration, _ shape: SliceShape) -> Workspace {
        Workspace(&carver, c, MegalodonGeometry(shape, c))
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        MegalodonState.at(state, c, shape).reset()
    }

    /// The EMA's coefficients, and the gradients of what they are made of.
    var preparation: Work { .ema }
}
