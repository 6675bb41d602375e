import Hardware
import Numerics

/// One Gecko layer: gated attention, then feed-forward.
package final class GeckoLayer: GoldenLayer {
    private let c: GeckoConfiguration
    private let attention: GatedAttention
    private let feedForward: FeedForward
    private var geometry: SliceGeometry?
    package let name: String

    package init(_ c: GeckoConfiguration, layer: Int) {
        self.c = c
        name = Self.name(layer)
        attention = GatedAttention(c, layer: layer)
        feedForward = FeedForward(c.feedForward(layer: layer))
    }

    /// What is to be known of a layer.
    static func description(_ c: GeckoConfiguration, layer: Int) -> BlockDescription {
        let name = name(layer)
        return BlockDescription(
            name: name,
            parameters: GatedAttention.parameters(c, layer: layer) + c.feedForward(layer: layer).parameters,
            forwardFlopsPerToken: forwardFlopsPerToken(c)
        ) {
            sizes(c, SliceGeometry($0, c), $0.matrices)
        } carried: {
            LayerState.tensors(c, window: SliceGeometry($0, c).window, block: name)
        } work: {
            c.layerWork(slice: $0.slice, operand: $1)
        }
    }

    private static func name(_ layer: Int) -> String { "layers.\(layer)" }

    private static func sizes(
        _ c: GeckoConfiguration, _ geometry: SliceGeometry, _ matrices: MatrixEngine
    ) -> BlockSizes {
        func used(_ carve: (inout Carver) -> Void) -> Int {
            var carver = Carver(counting: ())
            carve(&carver)
            return carver.used
        }
        let form = c.feedForward(layer: 0)
        let (attention, feedForward) = (GatedAttention.mapShapes(c), form.mapShapes)
        let maps = [
            attention.wzr, attention.wv, attention.wh1, attention.wh2, feedForward.first, feedForward.last,
        ]
        return BlockSizes(
            state: LayerState.count(c, window: geometry.window), stash: used { _ = Stash(&$0, c, form, geometry) },
            gradientStash: used { _ = GradientStash(&$0, c, form, geometry) },
            workspace: used { _ = Workspace(&$0, c, form, geometry) },
            packed: maps.reduce(0) { $0 + $1.preparedCount(matrices, c.precision) })
    }

    /// GECKO.md, Counts; the EMA and the norms (no matrix flops) are left out.
    private static func forwardFlopsPerToken(_ c: GeckoConfiguration) -> Double {
        let (D, Z, E, F, H, C) = (
            Double(c.dim), Double(c.zDim), Double(c.valueDim), Double(c.ffnDim), Double(c.heads), Double(c.chunk)
        )
        let linear = 2 * (D * D + 3 * D * E + D * Z + (c.swiglu ? 3 : 2) * D * F)
        return linear + (Z + E) * (3 * C + 1) + 6 * Z * E / H
    }

    /// Two-hop residual or not, the middle activation is kept.
    private struct Stash {
        let middle: UnsafeMutablePointer<Float>
        let attention: GatedAttention.Stash
        let feedForward: FeedForward.Stash

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ f: FeedForward.Form, _ g: SliceGeometry) {
            middle = carver.take(g.length * c.dim)
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    private struct GradientStash {
        let attention: GatedAttention.GradientStash
        let feedForward: FeedForward.GradientStash

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ f: FeedForward.Form, _ g: SliceGeometry) {
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    private struct Workspace {
        let dmiddle: UnsafeMutablePointer<Float>
        let attention: GatedAttention.Workspace
        let feedForward: FeedForward.Workspace

        init(_ carver: inout Carver, _ c: GeckoConfiguration, _ f: FeedForward.Form, _ g: SliceGeometry) {
            dmiddle = carver.take(g.length * c.dim)
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    package func bind(_ store: ParameterStore) {
        attention.bind(store)
        feedForward.bind(store)
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        LayerState.at(state, c, window: SliceGeometry(shape, c).window).reset()
    }

    package func beginStep(_ shape: SliceShape) {
        geometry = SliceGeometry(shape, c)
        attention.beginStep()
        feedForward.beginStep()
    }

    package func endStep() { attention.endStep() }

    /// The EMA's coefficients, and the gradients of what they are made of.
    package var preparation: Work { .ema }

    private func layout(_ context: SliceContext) -> (SliceGeometry, Workspace) {
        guard let geometry else { preconditionFailure("\(name): beginStep comes before forward and backward") }
        precondition(context.length <= geometry.length, "a slice longer than the memory laid out for it")
        var carver = Carver(context.workspace)
        return (geometry, Workspace(&carver, c, feedForward.form, geometry))
    }

    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let (g, w) = layout(context)
        var carver = Carver(stash)
        let f = Stash(&carver, c, feedForward.form, g)
        attention.forward(
            context, x: x, y: f.middle,
            state: .init(
                entry: .at(UnsafeMutablePointer(mutating: entry), c, window: g.window),
                exit: .at(exit, c, window: g.window)), stash: f.attention, workspace: w.attention)
        feedForward.forward(
            context, y: f.middle, residual: c.twoHopResidual ? x : UnsafePointer(f.middle), out: y,
            stash: f.feedForward, workspace: w.feedForward)
    }

    /// What the two halves' backwards work on.
    private struct Memory {
        /// The activation between the halves, and its gradient [T, D].
        let middle, dmiddle: UnsafeMutablePointer<Float>
        let attention: GatedAttention.Memory
        let feedForward: FeedForward.Memory
        /// Tokens that states have room for in their windows.
        let window: Int
    }

    private func memory(_ context: SliceContext, _ slice: SliceMemory) -> Memory {
        let (g, w) = layout(context)
        var carver = Carver(slice.stash)
        let f = Stash(&carver, c, feedForward.form, g)
        var gradientCarver = Carver(slice.gradientStash)
        let d = GradientStash(&gradientCarver, c, feedForward.form, g)
        return Memory(
            middle: f.middle, dmiddle: w.dmiddle,
            attention: .init(stash: f.attention, gradientStash: d.attention, workspace: w.attention),
            feedForward: .init(stash: f.feedForward, gradientStash: d.feedForward, workspace: w.feedForward),
            window: g.window)
    }

    package func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let m = memory(context, slice)
        let count = context.length * c.dim
        // Without the two-hop residual the middle activation is the residual, so its gradient begins as dy.
        if !c.twoHopResidual { context.team.alone(as: .elementwise) { m.dmiddle.update(from: dy, count: count) } }
        feedForward.backward(
            context, dout: dy, dy: m.dmiddle, add: !c.twoHopResidual, y: m.middle, m.feedForward)
        // The second hop: x is the feed-forward's residual too. Its gradient is kept before dx (perhaps dy) is written.
        if c.twoHopResidual {
            context.team.alone(as: .elementwise) { m.feedForward.workspace.dg.update(from: dy, count: count) }
        }
        attention.backward(
            context, dy: m.dmiddle, dx: dx, x: slice.x, stateGradient: .at(stateGradient, c, window: m.window),
            m.attention)
        if c.twoHopResidual {
            context.team.alone(as: .elementwise) {
                context.kernels.tokens.elementwise.addTo(dx, m.feedForward.workspace.dg, count)
            }
        }
    }

    package func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let m = memory(context, slice)
        feedForward.accumulateWeightGradients(context, y: m.middle, m.feedForward)
        attention.accumulateWeightGradients(context, x: slice.x, m.attention, followsBackward: followsBackward)
    }

    /// The middle activation [T, D] (between attention and feed-forward) of the slice in `stash`.
    package func middle(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        guard let geometry else { preconditionFailure("\(name): beginStep comes before forward and backward") }
        var carver = Carver(stash)
        return Stash(&carver, c, feedForward.form, geometry).middle
    }
}
