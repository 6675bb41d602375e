import Hardware
import Numerics

/// One Gecko layer: gated attention, then feed-forward.
typealias GeckoLayer = MixerLayer<GatedAttention>

extension GeckoConfiguration: MixerArchitecture {
    package var hasTwoHops: Bool { twoHopResidual }

    /// GECKO.md, Counts; the EMA and the norms (no matrix flops) are left out.
    var layerFlopsPerToken: Double {
        let (D, Z, E, F, H) = (Double(dim), Double(zDim), Double(valueDim), Double(ffnDim), Double(heads))
        let linear = 2 * (D * D + 3 * D * E + D * Z + (swiglu ? 3 : 2) * D * F)
        return linear + (Z + E) * keysSeenTwice + (memory ? 6 * Z * E / H : 0)
    }
}

/// How its memory is laid out, and its state.
extension GatedAttention {
    static func maps(_ c: GeckoConfiguration) -> [LinearMap.Shape] {
        let maps = mapShapes(c)
        return [maps.wzr, maps.wv, maps.wh1, maps.wh2]
    }

    static func stateCount(_ c: GeckoConfiguration, _ shape: SliceShape) -> Int {
        LayerState.count(c, window: SliceGeometry(shape, c).window)
    }

    static func carried(_ c: GeckoConfiguration, _ shape: SliceShape, layer: String) -> [StateTensor] {
        LayerState.tensors(c, window: SliceGeometry(shape, c).window, block: layer)
    }

    static func stash(_ carver: inout Carver, _ c: GeckoConfiguration, _ shape: SliceShape) -> Stash {
        Stash(&carver, c, SliceGeometry(shape, c))
    }

    static func gradientStash(_ carver: inout Carver, _ c: GeckoConfiguration, _ shape: SliceShape) -> GradientStash {
        GradientStash(&carver, c, SliceGeometry(shape, c))
    }

    static func workspace(_ carver: inout Carver, _ c: GeckoConfiguration, _ shape: SliceShape) -> Workspace {
        Workspace(&carver, c, SliceGeometry(shape, c))
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        LayerState.at(state, c, shape).reset()
    }

    /// The EMA's coefficients, and the gradients of what they are made of.
    var preparation: Work { c.ema ? .ema : .elementwise }
}
