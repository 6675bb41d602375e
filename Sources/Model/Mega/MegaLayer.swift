import Hardware
import Numerics

/// One Mega layer: gated attention, then feed-forward.
final class MegaLayer: GoldenLayer {
    private let c: MegaConfiguration
    private let attention: MegaAttention
    private let feedForward: FeedForward
    private var geometry: MegaGeometry?
    let name: String

    init(_ c: MegaConfiguration, layer: Int) {
        self.c = c
        name = Self.name(layer)
        attention = MegaAttention(c, layer: layer)
        feedForward = FeedForward(c.feedForward(layer: layer))
    }

    /// What is to be known of a layer.
    static func description(_ c: MegaConfiguration, layer: Int) -> BlockDescription {
        let name = name(layer)
        // In a chunk a token sees (C + 1) / 2 keys on average.
        let keys = c.seesAll ? 1 : (Double(c.chunk) + 1) / 2
        return BlockDescription(
            name: name,
            parameters: MegaAttention.parameters(c, layer: layer) + c.feedForward(layer: layer).parameters,
            forwardFlopsPerToken: c.mapFlopsPerToken + c.attentionFlops(keys: keys),
            flopsPerTokenBefore: c.seesAll ? c.attentionFlops(keys: 1) : 0
        ) {
            sizes(c, $0)
        } carried: {
            MegaState.tensors(c, window: MegaGeometry($0, c).window, block: name)
        } work: {
            c.layerWork($0, operand: $1)
        }
    }

    private static func name(_ layer: Int) -> String { "layers.\(layer)" }

    private static func sizes(_ c: MegaConfiguration, _ shape: SliceShape) -> BlockSizes {
        func used(_ carve: (inout Carver) -> Void) -> Int {
            var carver = Carver(counting: ())
            carve(&carver)
            return carver.used
        }
        let (form, g) = (c.feedForward(layer: 0), MegaGeometry(shape, c))
        let (attention, feedForward) = (MegaAttention.mapShapes(c), form.mapShapes)
        let maps = [attention.v, attention.mx, attention.h, feedForward.first, feedForward.last]
        return BlockSizes(
            state: MegaState.count(c, window: g.window), prefix: MegaAttention.prefixWidth(c),
            stash: used { _ = Stash(&$0, c, form, g) }, gradientStash: used { _ = GradientStash(&$0, c, form, g) },
            workspace: used { _ = Workspace(&$0, c, form, g) },
            packed: maps.reduce(0) { $0 + $1.preparedCount(shape.matrices, c.precision) })
    }

    private struct Stash {
        /// The activation between the halves [T, D].
        let middle: UnsafeMutablePointer<Float>
        let attention: MegaAttention.Stash
        let feedForward: FeedForward.Stash

        init(_ carver: inout Carver, _ c: MegaConfiguration, _ f: FeedForward.Form, _ g: MegaGeometry) {
            middle = carver.take(g.length * c.dim)
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    private struct GradientStash {
        let attention: MegaAttention.GradientStash
        let feedForward: FeedForward.GradientStash

        init(_ carver: inout Carver, _ c: MegaConfiguration, _ f: FeedForward.Form, _ g: MegaGeometry) {
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    private struct Workspace {
        /// The gradient of the activation between the halves [T, D].
        let dmiddle: UnsafeMutablePointer<Float>
        let attention: MegaAttention.Workspace
        let feedForward: FeedForward.Workspace

        init(_ carver: inout Carver, _ c: MegaConfiguration, _ f: FeedForward.Form, _ g: MegaGeometry) {
            dmiddle = carver.take(g.length * c.dim)
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    func bind(_ store: ParameterStore) {
        attention.bind(store)
        feedForward.bind(store)
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        MegaState.at(state, c, window: MegaGeometry(shape, c).window).reset()
    }

    func beginStep(_ shape: SliceShape) {
        geometry = MegaGeometry(shape, c)
        attention.beginStep()
        feedForward.beginStep()
    }

    func endStep() { attention.endStep() }

    /// The EMA's coefficients and the biases, and the gradients of what they are made of.
    var preparation: Work { .ema }

    private func laidOut() -> MegaGeometry {
        guard let geometry else { preconditionFailure("\(name): beginStep comes before forward and backward") }
        return geometry
    }

    private func workspace(_ context: SliceContext) -> Workspace {
        let geometry = laidOut()
        precondition(context.length <= geometry.length, "a slice longer than the memory laid out for it")
        var carver = Carver(context.workspace)
        return Workspace(&carver, c, feedForward.form, geometry)
    }

    private func stash(_ base: UnsafeMutablePointer<Float>) -> Stash {
        var carver = Carver(base)
        return Stash(&carver, c, feedForward.form, laidOut())
    }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let (f, w, window) = (self.stash(stash), workspace(context), laidOut().window)
        attention.forward(
            context, x: x, y: f.middle,
            state: .init(
                entry: .at(UnsafeMutablePointer(mutating: entry), c, window: window),
                exit: .at(exit, c, window: window)), stash: f.attention, workspace: w.attention)
        feedForward.forward(
            context, y: f.middle, residual: f.middle, out: y, stash: f.feedForward, workspace: w.feedForward)
    }

    /// What the two halves' backwards work on.
    private struct Memory {
        /// The activation between the halves, and its gradient [T, D].
        let middle, dmiddle: UnsafeMutablePointer<Float>
        let attention: MegaAttention.Memory
        let feedForward: FeedForward.Memory
    }

    private func memory(_ context: SliceContext, _ slice: SliceMemory) -> Memory {
        let (f, w) = (stash(slice.stash), workspace(context))
        var carver = Carver(slice.gradientStash)
        let g = GradientStash(&carver, c, feedForward.form, laidOut())
        return Memory(
            middle: f.middle, dmiddle: w.dmiddle,
            attention: .init(stash: f.attention, gradientStash: g.attention, workspace: w.attention),
            feedForward: .init(stash: f.feedForward, gradientStash: g.feedForward, workspace: w.feedForward))
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let m = memory(context, slice)
        // The middle activation is the residual, so its gradient begins as dy.
        context.team.alone(as: .elementwise) { m.dmiddle.update(from: dy, count: context.length * c.dim) }
        feedForward.backward(context, dout: dy, dy: m.dmiddle, add: true, y: m.middle, m.feedForward)
        attention.backward(
            context, dy: m.dmiddle, dx: dx, x: slice.x,
            stateGradient: .at(stateGradient, c, window: laidOut().window), m.attention)
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let m = memory(context, slice)
        feedForward.accumulateWeightGradients(context, y: m.middle, m.feedForward)
        attention.accumulateWeightGradients(context, x: slice.x, m.attention)
    }

    func middle(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { self.stash(stash).middle }
}
